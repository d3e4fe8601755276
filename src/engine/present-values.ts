import { cidFromBytes } from "#content/cid.ts";
import type { ColumnBatch } from "#model/sql.ts";

/** One row of a batch without what is NULL; a column `cid` as text, times in ISO 8601. */
export function presentValues(
  { names, columns }: ColumnBatch,
  row: number,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  names.forEach((name, column) => {
    const value = columns[column]?.[row];
    if (value === null || value === undefined) return;
    if (name === "cid") values[name] = cidFromBytes(value as Uint8Array);
    else values[name] = value instanceof Date ? value.toISOString() : value;
  });
  return values;
}
