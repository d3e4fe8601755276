import type { DataType, Schema } from "apache-arrow";
import type { BatchColumn } from "#model/record-batch.ts";

/** The columns of a schema, in words. */
export function batchColumns(schema: Schema): readonly BatchColumn[] {
  return schema.fields.map(({ name, type }) => ({ name, type: typeText(type as DataType) }));
}

/** The library says how a type is called by a method that its declarations do not show. */
function typeText(type: { toString(): string }): string {
  return type.toString();
}
