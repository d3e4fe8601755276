import { DuckDBInstance } from "#index/duckdb.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { freeOfCharge } from "#model/backend.ts";
import { localFacts } from "./copy-plan.ts";

/** The present of such an index; its heat counts from here. */
export const livelyTime = new Date("2026-06-01T00:00:00Z");

/** The tiers of its backends, which are named for them, in order of their ids. */
export const livelyTiers = ["hot", "warm", "cold", "archive"] as const;

const rowsAtOnce = 2_000_000;

/**
 * An index as life makes it, whose objects differ in size, owner, heat and last read. All are on
 * `on-hot`, three of four on a colder backend too. Its rows are as the index writes them, without
 * the millions of calls that would bring them there; the objects are those of `sampleCid`.
 */
export async function makeLivelyIndex(path: string, objects: number): Promise<void> {
  const empty = await ObjectIndex.open(path, { threads: 2, now: () => livelyTime });
  await empty.syncBackends(
    livelyTiers.map((tier) => ({ ...localFacts(`on-${tier}`), tier, price })),
  );
  await empty.close();
  const instance = await DuckDBInstance.create(path, { threads: "2", memory_limit: "2GiB" });
  const connection = await instance.connect();
  for (let from = 0; from < objects; from += rowsAtOnce) {
    await connection.run(objectRows(from, Math.min(objects, from + rowsAtOnce), objects));
  }
  for (const [id] of livelyTiers.entries()) await connection.run(copyRows(id));
  await connection.run(`UPDATE counters SET next_object = ${objects}`);
  await connection.run(`UPDATE backends SET copies = held.copies, used_bytes = held.bytes
    FROM (SELECT backend_id, count(*) AS copies, sum(bytes)::BIGINT AS bytes
      FROM copies GROUP BY ALL) AS held
    WHERE backends.backend_id = held.backend_id`);
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
}

/** SQL for the key by which the index finds a CID, from the hexadecimal digits of its digest. */
export function cidKeyOf(digest: string): string {
  const unsigned = `('0x' || substr(${digest}, 1, 16))::UBIGINT`;
  return `CASE WHEN ${unsigned} > 9223372036854775807
    THEN (${unsigned}::HUGEINT - 18446744073709551616)::BIGINT ELSE ${unsigned}::BIGINT END`;
}

const moment = `make_timestamp(${livelyTime.getTime() * 1_000})`;
const day = "86400000000::BIGINT";
const price = { ...freeOfCharge, perGibMonth: 0.02 };

const objectRows = (from: number, to: number, objects: number): string => `
  INSERT INTO objects BY NAME
  SELECT number AS object_id,
    ${cidKeyOf("digest")} AS cid_key,
    unhex('01551220' || digest) AS cid,
    (exp(6 + (hash(number, 1) % 1000) / 80.0))::BIGINT AS size, 'unixfs-v1-2025' AS profile,
    '/data/' || number AS path, 1 AS names, 'text/plain' AS type,
    'owner-' || (hash(number, 2) % 200) AS owner,
    ${moment} - to_minutes(${objects} - number) AS created, created AS ingested,
    make_timestamp(${livelyTime.getTime() * 1_000} - (hash(number, 5) % 90)::BIGINT * ${day})
      AS accessed,
    0 AS reads, (hash(number, 3) % 1000) / 250.0 AS heat_weight,
    1 | (1::BIGINT << (hash(number, 4) % 4)::BIGINT) AS present_mask, present_mask AS listed_mask,
    present_mask AS sampled_mask, present_mask AS verified_mask, 0 AS in_flight_mask,
    created AS oldest_verified, false AS held
  FROM (SELECT range AS number, sha256(range::VARCHAR) AS digest
    FROM range(${from}, ${to}))`;

const copyRows = (backend: number): string => `
  INSERT INTO copies BY NAME
  SELECT object_id, ${backend} AS backend_id, 'file' AS form, 'at/' || object_id AS locator,
    'present' AS state, size AS bytes, 'verified' AS confidence, created AS checked_at,
    created AS verified_at
  FROM objects WHERE present_mask & ${1 << backend} <> 0 ORDER BY object_id`;
