import type { ColumnBatch, SqlRow } from "#model/sql.ts";

/** The rows of a batch as objects. */
export function batchRows<Row extends SqlRow>({ rows, names, columns }: ColumnBatch): Row[] {
  return Array.from({ length: rows }, (_, position) => {
    const row: Record<string, unknown> = {};
    names.forEach((name, column) => {
      row[name] = columns[column]?.[position];
    });
    return row as Row;
  });
}
