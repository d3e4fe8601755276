import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertArrowFile } from "#index/arrow/convert-arrow-file.ts";
import { Connection } from "#index/connection.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { DuckDBInstance } from "#index/duckdb.ts";
import { indexError } from "#index/index-error.ts";
import { type LedgerOrder, lastOrders } from "#index/ledger/last-orders.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { DuckDBFormat, RowFormat } from "#model/sql.ts";

const memoryLimit = "1GiB";

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
    memory_limit: duckdbLimit(memoryLimit),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = new Connection(await instance.connect());
  try {
    const rows = await connection.rows(lastOrders(`${readers[format]}(${sqlLiteral(path)})`), [
      after,
    ]);
    return rows as unknown as readonly LedgerOrder[];
  } catch (error) {
    throw indexError(error, path);
  } finally {
    connection.close();
    instance.closeSync();
  }
}
