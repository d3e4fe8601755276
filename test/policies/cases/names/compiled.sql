-- names/keep-pictures: {"kind":"hold"} limit {}
select o.object_id from object o where ((o.path >= $1::VARCHAR and o.path < $2::VARCHAR and coalesce(starts_with(o.path, $3::VARCHAR), false)) or coalesce(regexp_matches(regexp_extract(o.path, '[^/]*$'), $4::VARCHAR), false)) order by o.object_id;
-- $1 = /data/, $2 = /data0, $3 = /data/, $4 = (?i)[.](jpe?g|png)$
-- by name
((n.path >= $1::VARCHAR and n.path < $2::VARCHAR and coalesce(starts_with(n.path, $3::VARCHAR), false)) or coalesce(regexp_matches(regexp_extract(n.path, '[^/]*$'), $4::VARCHAR), false));
-- $1 = /data/, $2 = /data0, $3 = /data/, $4 = (?i)[.](jpe?g|png)$
-- selects 3 5 7 10 14 16 17 18 21 24 30 32 33 34 36

-- names/evict-tmp: {"kind":"evict","from":"0b11"} limit {}
select o.object_id from object o where (coalesce(regexp_full_match(o.path, $1::VARCHAR), false) and coalesce((not regexp_full_match(regexp_extract(o.path, '[^/]*$'), $2::VARCHAR)), false) and coalesce((o.path != $3::VARCHAR), false)) order by o.object_id;
-- $1 = (?s)(?:.*/)?tmp/.*, $2 = (?s)[ab][^/]*, $3 = /tmp/a
-- by name
(coalesce(regexp_full_match(n.path, $1::VARCHAR), false) and coalesce((not regexp_full_match(regexp_extract(n.path, '[^/]*$'), $2::VARCHAR)), false) and coalesce((n.path != $3::VARCHAR), false));
-- $1 = (?s)(?:.*/)?tmp/.*, $2 = (?s)[ab][^/]*, $3 = /tmp/a
-- selects 7 17 24 29
