-- copies/repair: {"kind":"ensure","copies":{"min":2,"max":3},"on":"0b111","confidence":"verified","per":"region"} limit {}
select o.object_id from object o where ((bit_count((o.verified_mask & $1::BIGINT))::BIGINT < $2::BIGINT) and (bit_count((o.present_mask & $3::BIGINT))::BIGINT > $4::BIGINT)) order by o.object_id;
-- $1 = 7, $2 = 2, $3 = 7, $4 = 0
-- selects 0 2 4 6 7 9 10 14 15 17 18 19 21 22 23 25 26 28 29 31 32 33 34 35 36 37

-- copies/trust-but-verify: {"kind":"ensure","copies":{"min":2},"on":"0b11","confidence":"sampled"} limit {}
select o.object_id from object o where (bit_count(((o.present_mask & ~o.listed_mask) & $1::BIGINT) | ((o.listed_mask & ~o.sampled_mask) & $2::BIGINT) | ((o.sampled_mask & ~o.verified_mask) & $3::BIGINT) | (o.verified_mask & $4::BIGINT))::BIGINT >= $5::BIGINT) order by o.object_id;
-- $1 = 3, $2 = 3, $3 = 3, $4 = 0, $5 = 1
-- selects 0 2 4 6 7 9 10 11 12 14 15 16 17 18 19 21 22 23 25 26 28 29 31 32 33 34 35 36 37

-- copies/archived: {"kind":"ensure","copies":{"min":1},"on":"0b100","confidence":"verified"} limit {}
select o.object_id from object o where ((bit_count((o.listed_mask & $1::BIGINT))::BIGINT = $2::BIGINT) and (o.heat_weight < $3::DOUBLE)) order by o.object_id;
-- $1 = 4, $2 = 0, $3 = 16
-- selects 0 2 3 4 5 13 14 21 26 27 35 38 39

-- copies/leave-warm: {"kind":"evict","from":"0b10"} limit {}
select o.object_id from object o where (bit_count((o.verified_mask & $1::BIGINT))::BIGINT >= $2::BIGINT) order by o.object_id;
-- $1 = 4, $2 = 1
-- selects 8 11 12 16 18 25 30 31
