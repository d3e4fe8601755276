import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { convertArrowFile } from "#index/arrow/convert-arrow-file.ts";
import { Connection } from "#index/connection.ts";
import { indexError } from "#index/index-error.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { DuckDBFormat, RowFormat } from "#model/sql.ts";

/** The last order about one object or backend in a file that `audit export` wrote. */
export interface LedgerOrder {
  readonly entry: number;
  readonly kind: "hold" | "cordon";
  /** `released`, `cordoned`, `uncordoned`, or why an object is held. */
  readonly reason: string | null;
  readonly cid: string | null;
  readonly backend: string | null;
  readonly actor: string | null;
  readonly note: string | null;
}

const readers: Readonly<Record<DuckDBFormat, string>> = {
  parquet: "read_parquet",
  csv: "read_csv",
  ndjson: "read_json",
  json: "read_json",
};

/** Holds and cordons in a file of entries, those after a given one, in their order. */
export async function readLedgerFile(
  path: string,
  format: RowFormat,
  after: number,
): Promise<readonly LedgerOrder[]> {
  if (format !== "arrow") return await readOrders(path, format, after);
  const folder = await mkdtemp(join(tmpdir(), "thermocline-ledger-"));
  try {
    const converted = join(folder, "ledger.parquet");
    await convertArrowFile(path, converted, "parquet");
    return await readOrders(converted, "parquet", after);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readOrders(
  path: string,
  format: DuckDBFormat,
  after: number,
): Promise<readonly LedgerOrder[]> {
  const instance = await DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = new Connection(await instance.connect());
  try {
    const rows = await connection.rows(
      `SELECT entry, kind, reason::VARCHAR AS reason, cid::VARCHAR AS cid,
         backend::VARCHAR AS backend, actor::VARCHAR AS actor, note::VARCHAR AS note
       FROM ${readers[format]}(${sqlLiteral(path)})
       WHERE entry > $1 AND kind IN ('hold', 'cordon')
       QUALIFY row_number() OVER (
         PARTITION BY kind, CASE kind WHEN 'hold' THEN cid ELSE backend END ORDER BY entry DESC) = 1
       ORDER BY entry`,
      [after],
    );
    return rows as unknown as readonly LedgerOrder[];
  } catch (error) {
    throw indexError(error, path);
  } finally {
    connection.close();
    instance.closeSync();
  }
}
