-- reads/up: {"kind":"promote","from":"0b110","to":"0b1"} limit {}
select o.object_id from object o where ((o.heat_weight >= $1::DOUBLE) or (o.object_id in (select a.object_id from access_day a where a.day >= make_timestamp($2::BIGINT)::DATE and a.day <= make_timestamp($3::BIGINT)::DATE
    group by a.object_id having sum(a.reads) >= $4::DOUBLE))) order by (o.heat_weight * $5::DOUBLE) desc, o.object_id;
-- $1 = 32, $2 = 1779710400000000, $3 = 1780315200000000, $4 = 4, $5 = 0.0625
-- selects 7 11 17 19 20 23 24 28 32 1 9 22 29 34 36 37 0 5 25 27 39 2 14 12 21 26 31 8 15 30 33

-- reads/down: {"kind":"demote","from":"0b1","to":"0b10"} limit {}
select o.object_id from object o where ((o.heat_weight < $1::DOUBLE) and ((coalesce(o.accessed, o.ingested) <= make_timestamp($2::BIGINT)) and (coalesce(o.accessed, o.ingested) >= make_timestamp($3::BIGINT))) and (o.object_id not in (select a.object_id from access_day a where a.day >= make_timestamp($4::BIGINT)::DATE and a.day <= make_timestamp($5::BIGINT)::DATE
    group by a.object_id having not (sum(a.reads) = $6::DOUBLE)))) order by (o.heat_weight * $7::DOUBLE), ($8::DOUBLE - epoch_us(coalesce(o.accessed, o.ingested)) / 1000.0::DOUBLE) desc, o.object_id;
-- $1 = 8, $2 = 1779451200000000, $3 = 1745755200000000, $4 = 1777723200000000, $5 = 1780315200000000, $6 = 0, $7 = 0.0625, $8 = 1780315200000
-- selects 10 38
