-- reads/up: {"kind":"promote","from":"0b110","to":"0b1"} limit {}
select o.object_id from object o where (((o.heat_weight * $1::DOUBLE) >= $2::BIGINT) or (o.object_id in (select a.object_id from access_day a where a.day >= make_timestamp($3::BIGINT)::DATE and a.day <= make_timestamp($4::BIGINT)::DATE
    group by a.object_id having sum(a.reads) >= $5::DOUBLE))) order by (o.heat_weight * $6::DOUBLE) desc, o.object_id;
-- $1 = 0.0625, $2 = 2, $3 = 1779710400000000, $4 = 1780315200000000, $5 = 4, $6 = 0.0625
-- selects 7 11 17 19 20 23 24 28 32 1 9 22 29 34 36 37 0 5 25 27 39 2 14 12 21 26 31 8 15 30 33

-- reads/down: {"kind":"demote","from":"0b1","to":"0b10"} limit {}
select o.object_id from object o where (((o.heat_weight * $1::DOUBLE) < $2::DOUBLE) and ((coalesce(o.accessed, o.ingested) <= make_timestamp($3::BIGINT)) and (coalesce(o.accessed, o.ingested) >= make_timestamp($4::BIGINT))) and (o.object_id not in (select a.object_id from access_day a where a.day >= make_timestamp($5::BIGINT)::DATE and a.day <= make_timestamp($6::BIGINT)::DATE
    group by a.object_id having not (sum(a.reads) = $7::DOUBLE)))) order by (o.heat_weight * $8::DOUBLE), ($9::DOUBLE - epoch_us(coalesce(o.accessed, o.ingested)) / 1000.0::DOUBLE) desc, o.object_id;
-- $1 = 0.0625, $2 = 0.5, $3 = 1779451200000000, $4 = 1745755200000000, $5 = 1777723200000000, $6 = 1780315200000000, $7 = 0, $8 = 0.0625, $9 = 1780315200000
-- selects 10 38
