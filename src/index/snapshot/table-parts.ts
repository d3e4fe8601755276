import type { SnapshotTable } from "#index/snapshot/snapshot-tables.ts";
import type { ReadSession, SqlStatement } from "#model/sql.ts";

/** Rows of a table whose keys lie in one range. */
export interface TablePart {
  /** Number of the range: its keys are `range × width` and the `width - 1` after it. */
  readonly range: number;
  readonly rows: number;
  /** Equal for equal rows, whatever their order; see `tableParts`. */
  readonly fingerprint: string;
}

/**
 * The parts of a table with a fingerprint of each: reading a table costs a small part of writing
 * it. The fingerprint is two sums of 64-bit hashes of whole rows, each with its own first value.
 * It tells rows that changed by themselves; it is no defence against somebody who makes names on
 * purpose that collide, for which a full snapshot compares the bytes.
 */
export async function tableParts(
  session: ReadSession,
  table: SnapshotTable,
): Promise<readonly TablePart[]> {
  const columns = columnList(table);
  const range = table.key === undefined ? "0::BIGINT" : `(${table.key} // ${table.width})::BIGINT`;
  const rows = await session.rows({
    text: `SELECT ${range} AS range, count(*) AS rows,
             sum(hash(${columns}))::VARCHAR || '.' || sum(hash('second', ${columns}))::VARCHAR
               AS fingerprint
           FROM ${quoted(table.table)} GROUP BY 1 ORDER BY 1`,
    parameters: [],
  });
  return rows as unknown as readonly TablePart[];
}

/** The rows of one part, in the order in which they are written. */
export function partRows(table: SnapshotTable, range: number): SqlStatement {
  const select = `SELECT ${columnList(table)} FROM ${quoted(table.table)}`;
  const order = table.order.length === 0 ? "ALL" : table.order.join(", ");
  if (table.key === undefined) return { text: `${select} ORDER BY ${order}`, parameters: [] };
  return {
    text: `${select} WHERE ${table.key} >= $1 AND ${table.key} < $2 ORDER BY ${order}`,
    parameters: [range * table.width, (range + 1) * table.width],
  };
}

/** A name in SQL, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function columnList({ columns }: SnapshotTable): string {
  return columns.map(([name]) => quoted(name)).join(", ");
}
