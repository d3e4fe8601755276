-- lifecycle/to-cold: {"kind":"demote","from":"0b11","to":"0b100"} limit {"objects":100000,"bytes":5497558138880}
select o.object_id from object o where ((o.created < make_timestamp($1::BIGINT)) and (o.size >= $2::BIGINT) and (not (o.type is null))) order by o.size desc, ($3::DOUBLE - epoch_us(o.created) / 1000.0::DOUBLE), o.object_id;
-- $1 = 1778587200000000, $2 = 1024, $3 = 1780315200000
-- selects 3 28 19 2 39 6 29 32 12 34 23 9 35

-- lifecycle/drop-logs: {"kind":"delete","graceMs":1209600000} limit {}
select o.object_id from object o where ((coalesce((o.type = $1::VARCHAR), false) or coalesce(regexp_full_match(regexp_extract(o.path, '[^/]*$'), $2::VARCHAR), false)) and (o.created < make_timestamp($3::BIGINT))) order by ($4::DOUBLE - epoch_us(o.created) / 1000.0::DOUBLE) desc, o.object_id;
-- $1 = text/plain, $2 = (?s)[^/]*\.log, $3 = 1776859200000000, $4 = 1780315200000
-- by name
((coalesce((o.type = $1::VARCHAR), false) or coalesce(regexp_full_match(regexp_extract(n.path, '[^/]*$'), $2::VARCHAR), false)) and (o.created < make_timestamp($3::BIGINT)));
-- $1 = text/plain, $2 = (?s)[^/]*\.log, $3 = 1776859200000000
-- selects 9 34
