import {
  BIGINT,
  BLOB,
  blobValue,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  TIMESTAMP,
  VARCHAR,
} from "@duckdb/node-api";
import bindings, { type Value } from "@duckdb/node-bindings";
import { micros } from "#index/micros.ts";
import type { SqlValue } from "#model/sql.ts";

/** Types a staging table may have. Times go in as `Date`. */
export type StageType =
  | "BIGINT"
  | "INTEGER"
  | "DOUBLE"
  | "VARCHAR"
  | "BLOB"
  | "TIMESTAMP"
  | "BOOLEAN";
export type StageValue = SqlValue | Date | undefined;

/** Rows that one chunk may have. */
export const chunkRowsMax = 2_048;

/**
 * Rows as a chunk to append. Where a column has one value throughout, as most columns of what a
 * batch did have, DuckDB gets that value once instead of a thousand times.
 */
export function stageChunk(
  types: readonly StageType[],
  rows: readonly (readonly StageValue[])[],
): DuckDBDataChunk {
  const duckdbTypes = types.map((type) => stageTypes[type]);
  const chunk = DuckDBDataChunk.create(duckdbTypes, rows.length);
  types.forEach((type, column) => {
    const constant = constantOf(type, column, rows);
    if (constant === undefined) {
      const values = rows.map((row) => toDuckDB(type, row[column]));
      chunk.setColumnValues(column, values);
      return;
    }
    const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
    bindings.vector_reference_value(vector, constant);
  });
  return chunk;
}

/** The value that all rows have in a column. */
function constantOf(
  type: StageType,
  column: number,
  rows: readonly (readonly StageValue[])[],
): Value | undefined {
  const value = rows[0]?.[column];
  if (value === null || value === undefined || value instanceof Uint8Array) return undefined;
  const same =
    value instanceof Date
      ? (other: StageValue) => other instanceof Date && other.getTime() === value.getTime()
      : (other: StageValue) => Object.is(other, value);
  return rows.every((row) => same(row[column])) ? duckdbValue(type, value) : undefined;
}

function duckdbValue(type: StageType, value: Exclude<StageValue, null | undefined>) {
  if (type === "VARCHAR" && typeof value === "string") return bindings.create_varchar(value);
  if (type === "BOOLEAN" && typeof value === "boolean") return bindings.create_bool(value);
  if (type === "TIMESTAMP" && value instanceof Date) {
    return bindings.create_timestamp({ micros: micros(value) });
  }
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  if (type === "BIGINT") return bindings.create_int64(BigInt(value));
  if (type === "INTEGER") return bindings.create_int32(Number(value));
  return type === "DOUBLE" ? bindings.create_double(Number(value)) : undefined;
}

const stageTypes: Readonly<Record<StageType, DuckDBType>> = {
  BIGINT,
  INTEGER,
  DOUBLE,
  VARCHAR,
  BLOB,
  TIMESTAMP,
  BOOLEAN,
};

function toDuckDB(type: StageType, value: StageValue): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return new DuckDBTimestampValue(micros(value));
  if (value instanceof Uint8Array) return blobValue(value);
  if (type === "BIGINT" && typeof value === "number") return BigInt(value);
  return value;
}
