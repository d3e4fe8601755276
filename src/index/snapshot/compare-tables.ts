import { Connection } from "#index/connection.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { DuckDBInstance } from "#index/duckdb.ts";
import { readFiles } from "#index/snapshot/read-files.ts";
import type { PartFile, TableFiles } from "#index/snapshot/table-files.ts";
import { quoted } from "#index/snapshot/table-parts.ts";

/** The same table in two snapshots, with the files that they do not share. */
export interface TablePair {
  readonly from: TableFiles;
  readonly to: TableFiles;
}

export interface RowChanges {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

export interface CompareOptions {
  /** What the process may hold because of it; see `duckdbLimit`. */
  readonly memoryLimit: string;
  readonly threads: number;
}

/** Counts what differs, table by table, in the columns that both snapshots have. */
export async function compareTables(
  pairs: readonly TablePair[],
  { memoryLimit, threads }: CompareOptions,
): Promise<readonly RowChanges[]> {
  const settings = { memory_limit: duckdbLimit(memoryLimit), threads: String(threads) };
  const instance = await DuckDBInstance.create(":memory:", settings);
  const connection = new Connection(await instance.connect());
  try {
    const changes: RowChanges[] = [];
    for (const pair of pairs) changes.push(await comparePair(connection, pair));
    return changes;
  } finally {
    connection.close();
    instance.closeSync();
  }
}

async function comparePair(connection: Connection, { from, to }: TablePair): Promise<RowChanges> {
  const total = { added: 0, removed: 0, changed: 0 };
  const add = ({ added, removed, changed }: RowChanges): void => {
    total.added += added;
    total.removed += removed;
    total.changed += changed;
  };
  const known = new Set(from.columns.map(([name]) => name));
  const columns = to.columns.flatMap(([name]) => (known.has(name) ? [quoted(name)] : []));
  for (const [before, after] of groups(from, to)) {
    if (before.length === 0) add({ added: rowsOf(after), removed: 0, changed: 0 });
    else if (after.length === 0) add({ added: 0, removed: rowsOf(before), changed: 0 });
    else add(await compareFiles(connection, before, after, { columns, order: to.order }));
  }
  return total;
}

type Files = readonly PartFile[];

/** Range by range, so that no comparison is larger than a part; all at once if ranges differ. */
function groups(from: TableFiles, to: TableFiles): readonly (readonly [Files, Files])[] {
  if (from.width !== to.width || from.key !== to.key) return [[from.files, to.files]];
  const ranges = new Set([...from.files, ...to.files].map(({ range }) => range));
  return [...ranges].map((range) => [
    from.files.filter((file) => file.range === range),
    to.files.filter((file) => file.range === range),
  ]);
}

async function compareFiles(
  connection: Connection,
  before: Files,
  after: Files,
  { columns, order }: { readonly columns: readonly string[]; readonly order: readonly string[] },
): Promise<RowChanges> {
  const select = (files: Files): string =>
    `(SELECT ${columns.join(", ")} FROM ${readFiles(files.map(({ path }) => path))})`;
  if (order.length === 0) {
    return await connection.row<RowChanges & Record<string, unknown>>(`
      SELECT (SELECT count(*) FROM (FROM ${select(after)} EXCEPT ALL FROM ${select(before)}))
          AS added,
        (SELECT count(*) FROM (FROM ${select(before)} EXCEPT ALL FROM ${select(after)}))
          AS removed,
        0::BIGINT AS changed`);
  }
  const [first = ""] = order;
  const keys = order.map((name) => `a.${quoted(name)} = b.${quoted(name)}`).join(" AND ");
  return await connection.row<RowChanges & Record<string, unknown>>(`
    SELECT count(*) FILTER (WHERE a.${quoted(first)} IS NULL) AS added,
      count(*) FILTER (WHERE b.${quoted(first)} IS NULL) AS removed,
      count(*) FILTER (WHERE a.${quoted(first)} IS NOT NULL AND b.${quoted(first)} IS NOT NULL
        AND a IS DISTINCT FROM b) AS changed
    FROM ${select(before)} AS a FULL JOIN ${select(after)} AS b ON ${keys}`);
}

function rowsOf(files: Files): number {
  return files.reduce((rows, file) => rows + file.rows, 0);
}
