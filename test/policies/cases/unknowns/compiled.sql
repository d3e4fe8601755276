-- unknowns/not-ana: {"kind":"ensure","copies":{"min":1},"on":"0b1","confidence":"verified"} limit {}
select o.object_id from object o where (coalesce((not (o.owner = $1::VARCHAR)), false) or (o.owner is null)) order by o.object_id;
-- $1 = a
-- selects 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 19 20 22 24 25 26 27 28 29 31 32 33 34 35 36 37 38 39

-- unknowns/never-read: {"kind":"evict","from":"0b1"} limit {}
select o.object_id from object o where ((o.accessed is null) and (not (o.modified is null)) and coalesce((o.modified < make_timestamp((case when ((epoch_us(o.created) / 1000.0::DOUBLE) + ($1::BIGINT)::DOUBLE) > 9e15 then 9e15 when ((epoch_us(o.created) / 1000.0::DOUBLE) + ($2::BIGINT)::DOUBLE) < -9e15 then -9e15
    else ((epoch_us(o.created) / 1000.0::DOUBLE) + ($3::BIGINT)::DOUBLE) end * 1000)::BIGINT)), false)) order by o.object_id;
-- $1 = 432000000, $2 = 432000000, $3 = 432000000
-- selects 0 8 10 14 31

-- unknowns/tagged: {"kind":"hold"} limit {}
select o.object_id from object o where ((o.object_id in (select t.object_id from tag t where t.tag = $1::VARCHAR)) and (not (o.object_id in (select t.object_id from tag t where t.tag = $2::VARCHAR))) and coalesce((o.owner in ($3::VARCHAR, $4::VARCHAR, $5::VARCHAR)), false)) order by o.object_id;
-- $1 = tmp, $2 = data, $3 = a, $4 = b, $5 = it's
-- selects 39

-- unknowns/untagged: {"kind":"evict","from":"0b0"} limit {}
select o.object_id from object o where ((o.object_id not in (select t.object_id from tag t)) and (((o.size)::DOUBLE * ($1::BIGINT)::DOUBLE) > $2::BIGINT) and coalesce((((o.size)::DOUBLE / nullif(($3::BIGINT)::DOUBLE, 0)) < $4::BIGINT), false)) order by o.object_id;
-- $1 = 2, $2 = 1048576, $3 = 1024, $4 = 2000
-- selects 2 4 12 14 19 29 32
