import { Connection } from "#index/connection.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { DuckDBInstance } from "#index/duckdb.ts";
import { indexError } from "#index/index-error.ts";
import { migrate } from "#index/migrate.ts";
import { readFiles } from "#index/snapshot/read-files.ts";
import type { PartFile, TableFiles } from "#index/snapshot/table-files.ts";
import { quoted } from "#index/snapshot/table-parts.ts";
import { EngineError } from "#model/engine-error.ts";

export interface LoadOptions {
  /** Schema of the index at the time of the snapshot. */
  readonly schema: number;
  /** What the process may hold because of it; see `duckdbLimit`. */
  readonly memoryLimit: string;
  readonly threads: number;
  readonly now: Date;
}

/**
 * Makes an index file, which must not exist yet, that holds what the snapshot holds, in the
 * schema of the snapshot: opening it brings it up to date like any other index.
 */
export async function loadSnapshot(
  path: string,
  tables: readonly TableFiles[],
  options: LoadOptions,
): Promise<void> {
  const { memoryLimit, threads, now, schema } = options;
  const settings = {
    memory_limit: duckdbLimit(memoryLimit),
    threads: String(threads),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  };
  const instance = await DuckDBInstance.create(path, settings);
  const connection = new Connection(await instance.connect());
  try {
    await migrate(connection, now, schema);
    for (const [table, families] of byTable(tables)) {
      await loadTable(connection, table, families);
    }
    await connection.run("CHECKPOINT");
  } catch (error) {
    throw indexError(error, path);
  } finally {
    connection.close();
    instance.closeSync();
  }
}

function byTable(tables: readonly TableFiles[]): ReadonlyMap<string, readonly TableFiles[]> {
  return Map.groupBy(tables, ({ table }) => table);
}

async function loadTable(
  connection: Connection,
  table: string,
  families: readonly TableFiles[],
): Promise<void> {
  // What migrations put into a new index is what the snapshot knows better.
  await connection.run(`DELETE FROM ${quoted(table)}`);
  const ranges = new Set(families.flatMap(({ files }) => files.map(({ range }) => range)));
  for (const range of [...ranges].toSorted((a, b) => a - b)) {
    await loadRange(connection, table, families, range);
  }
}

/** Puts the columns of all families together again. */
async function loadRange(
  connection: Connection,
  table: string,
  families: readonly TableFiles[],
  range: number,
): Promise<void> {
  const sources = families.map((family) => ({
    family,
    file: family.files.find((part) => part.range === range),
  }));
  const columns = new Set(families.flatMap((family) => family.columns.map(([name]) => name)));
  const names = [...columns].map(quoted).join(", ");
  const [key] = families.map((family) => family.key);
  const joined = sources
    .map(
      ({ file, family }) => `${readFiles([requireFile(file, table, range)])} AS ${family.family}`,
    )
    .reduce((all, next) => `${all} JOIN ${next} USING (${quoted(key ?? "")})`);
  const order = sources.length > 1 ? ` ORDER BY ${quoted(key ?? "")}` : "";
  const rows = await connection.run(
    `INSERT INTO ${quoted(table)} (${names}) SELECT ${names} FROM ${joined}${order}`,
  );
  for (const { file } of sources) {
    if (file?.rows !== rows) throw incomplete(table, range);
  }
}

function requireFile(file: PartFile | undefined, table: string, range: number): string {
  if (file === undefined) throw incomplete(table, range);
  return file.path;
}

function incomplete(table: string, range: number): EngineError {
  return new EngineError(
    "CORRUPT",
    `the parts of ${table} in range ${range} do not hold the rows that the snapshot names`,
    { hint: "restore an older snapshot" },
  );
}
