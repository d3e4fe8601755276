import {
  BIGINT,
  bindings,
  BLOB,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  type DuckDBType,
  INTEGER,
  TIMESTAMP,
  type Value,
  VARCHAR,
  type Vector,
} from "#index/duckdb.ts";
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
    const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
    const constant = constantOf(type, column, rows);
    if (constant === undefined) fillVector(vector, type, column, rows);
    else bindings.vector_reference_value(vector, constant);
  });
  return chunk;
}

type Rows = readonly (readonly StageValue[])[];

/**
 * Values one after the other. What has a fixed width is copied in one piece, and texts go where
 * they belong without being kept by the binding: of a million rows either would cost seconds.
 */
function fillVector(vector: Vector, type: StageType, column: number, rows: Rows): void {
  if (rows.some((row) => isMissing(row[column]))) markMissing(vector, column, rows);
  if (type === "VARCHAR" || type === "BLOB") {
    rows.forEach((row, position) => {
      const value = row[column];
      if (typeof value === "string") {
        bindings.vector_assign_string_element(vector, position, value);
      } else if (value instanceof Uint8Array) {
        bindings.vector_assign_string_element_len(vector, position, value);
      } else if (!isMissing(value)) throw misplaced(type, value);
    });
    return;
  }
  const items = itemsOf(type, column, rows);
  bindings.copy_data_to_vector(vector, 0, items.buffer, 0, items.byteLength);
}

/** The values of a column of fixed width as they lie in memory; zero where one is missing. */
function itemsOf(type: Exclude<StageType, "VARCHAR" | "BLOB">, column: number, rows: Rows): Items {
  if (type === "BIGINT" || type === "TIMESTAMP") {
    return fill(new BigInt64Array(rows.length), column, rows, (value) => {
      if (value instanceof Date) return micros(value);
      if (typeof value === "bigint" || typeof value === "number") return BigInt(value);
      throw misplaced(type, value);
    });
  }
  if (type === "BOOLEAN") {
    return fill(new Uint8Array(rows.length), column, rows, (value) => Number(value === true));
  }
  const numbers = type === "DOUBLE" ? new Float64Array(rows.length) : new Int32Array(rows.length);
  return fill<number, Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
    numbers,
    column,
    rows,
    (value) => {
      if (typeof value === "number" || typeof value === "bigint") return Number(value);
      throw misplaced(type, value);
    },
  );
}

type Items =
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>;

function fill<T, A extends { [position: number]: T }>(
  items: A,
  column: number,
  rows: Rows,
  convert: (value: StageValue) => T,
): A {
  rows.forEach((row, position) => {
    const value = row[column];
    if (!isMissing(value)) items[position] = convert(value);
  });
  return items;
}

/** One bit a row, 64 of them at a time as DuckDB has them; set where there is a value. */
function markMissing(vector: Vector, column: number, rows: Rows): void {
  const valid = new Uint8Array(Math.ceil(rows.length / 64) * 8);
  rows.forEach((row, position) => {
    if (isMissing(row[column])) return;
    const byte = position >> 3;
    valid[byte] = (valid[byte] ?? 0) | (1 << (position & 7));
  });
  bindings.vector_ensure_validity_writable(vector);
  bindings.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
}

function isMissing(value: StageValue): value is null | undefined {
  return value === null || value === undefined;
}

function misplaced(type: StageType, value: StageValue): TypeError {
  return new TypeError(`a ${typeof value} is no value of a column of ${type}`);
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
