import type { ColumnBatch, SqlRow } from "#model/sql.ts";

/** The rows of a batch as objects: all of them, or those from `from` on and before `to`. */
export function batchRows<Row extends SqlRow>(
  { rows, names, columns }: ColumnBatch,
  from = 0,
  to = rows,
): Row[] {
  return Array.from({ length: Math.min(to, rows) - from }, (_, position) => {
    const row: Record<string, unknown> = {};
    names.forEach((name, column) => {
      row[name] = columns[column]?.[from + position];
    });
    return row as Row;
  });
}
