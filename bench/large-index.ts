import { DuckDBInstance } from "#index/duckdb.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { localFacts } from "./copy-plan.ts";

/** Rows as the index writes them, without the millions of calls that would bring them there. */
export async function makeLargeIndex(
  path: string,
  objects: number,
  targets: readonly string[],
): Promise<void> {
  const empty = await ObjectIndex.open(path, { threads: 2 });
  await empty.syncBackends(["hot", ...targets].map((name) => localFacts(name)));
  await empty.close();
  const instance = await DuckDBInstance.create(path, { threads: "2", memory_limit: "2GiB" });
  const connection = await instance.connect();
  await connection.run(`INSERT INTO objects BY NAME
    SELECT range AS object_id, (hash(range) >> 1)::BIGINT AS cid_key,
      unhex('01551220' || sha256(range::VARCHAR)) AS cid, 4096 AS size,
      'unixfs-v1-2025' AS profile, '/data/' || range AS path, 1 AS names,
      '2026-01-01'::TIMESTAMP AS created, created AS ingested, 0 AS reads, 0.5 AS heat_weight,
      1 AS present_mask, 1 AS listed_mask, 1 AS sampled_mask, 1 AS verified_mask,
      0 AS in_flight_mask, created AS oldest_verified, false AS held
    FROM range(${objects})`);
  await connection.run(`INSERT INTO copies BY NAME
    SELECT range AS object_id, 0 AS backend_id, 'file' AS form, 'hot/' || range AS locator,
      'present' AS state, 4096 AS bytes, 'verified' AS confidence,
      '2026-01-01'::TIMESTAMP AS checked_at, checked_at AS verified_at
    FROM range(${objects})`);
  await connection.run(`UPDATE counters SET next_object = ${objects}`);
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
}
