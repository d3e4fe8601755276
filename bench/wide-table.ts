import { rm, stat } from "node:fs/promises";
import type { Connection } from "#index/connection.ts";
import { DuckDBInstance } from "#index/duckdb.ts";

const rowsAtOnce = 1_000_000;
// In the form in which the index writes Parquet.
const form = "(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)";

/**
 * What one would have without an index: one Parquet table with a row for each object and all that
 * is known of it, its copies as a list, made of an index in `folder` in the order of its ids.
 */
export async function makeWideTable(folder: string, objects: number): Promise<void> {
  const scratch = `${folder}/wide.duckdb`;
  const limits = { threads: "2", memory_limit: "2GiB" };
  const instance = await DuckDBInstance.create(scratch, limits);
  const connection = await instance.connect();
  try {
    await connection.run(`ATTACH '${folder}/index.duckdb' AS index (READ_ONLY)`);
    await connection.run(`CREATE TABLE wide AS ${wideRows(0, 0)}`);
    for (let from = 0; from < objects; from += rowsAtOnce) {
      await connection.run(`INSERT INTO wide ${wideRows(from, from + rowsAtOnce)}`);
    }
    await connection.run(`COPY wide TO '${folder}/wide.parquet' ${form}`);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(scratch);
  }
}

/**
 * Folds reads into that table by writing it anew; they are in `grouped`, by object. Rows keep their
 * order, so that nothing is sorted.
 */
export async function rewriteWideTable(connection: Connection, folder: string): Promise<void> {
  await connection.run(`COPY (
      SELECT w.* REPLACE (w.heat_weight + coalesce(g.weight, 0) AS heat_weight,
        greatest(w.accessed, g.read_at) AS accessed)
      FROM '${folder}/wide.parquet' AS w LEFT JOIN grouped AS g USING (object_id))
    TO '${folder}/rewritten.parquet' ${form}`);
}

/** Of the table that was written anew last. */
export async function wideTableBytes(folder: string): Promise<number> {
  return (await stat(`${folder}/rewritten.parquet`)).size;
}

const wideRows = (from: number, to: number): string => `
  SELECT o.*, c.copies FROM index.objects AS o LEFT JOIN (
    SELECT object_id, list({'backend_id': backend_id, 'form': form, 'locator': locator,
      'state': state, 'bytes': bytes, 'confidence': confidence, 'checked_at': checked_at,
      'verified_at': verified_at, 'expires_at': expires_at}) AS copies
    FROM index.copies WHERE object_id >= ${from} AND object_id < ${to} GROUP BY object_id
  ) AS c USING (object_id)
  WHERE o.object_id >= ${from} AND o.object_id < ${to} ORDER BY o.object_id`;
