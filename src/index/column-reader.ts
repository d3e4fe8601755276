import {
  DuckDBBlobVector,
  type DuckDBVector,
  DuckDBVarCharVector,
  DuckDBTypeId,
  JSDuckDBValueConverter,
} from "#index/duckdb.ts";
import { readVariable } from "#index/variable-reader.ts";

/**
 * One column of a chunk as plain values that do not point into DuckDB's memory: BIGINT as
 * number when safe, times as Date, BLOB as bytes. Numeric columns without nulls come as typed
 * arrays, which is what makes large results fast.
 */
export function readColumn(vector: DuckDBVector): ArrayLike<unknown> {
  const typed = typedItems(vector);
  if (typed === undefined) {
    if (vector instanceof DuckDBBlobVector || vector instanceof DuckDBVarCharVector) {
      return readVariable(vector);
    }
    return readOther(vector);
  }
  const { items, valid } = typed;
  if (vector.type.typeId === DuckDBTypeId.TIMESTAMP) {
    return fill(items.length, (row) => (valid(row) ? dateOf(items[row] as bigint) : null));
  }
  if (items instanceof BigInt64Array) return readBigInts(items, typed);
  if (typed.allValid) return items.slice();
  return fill(items.length, (row) => (valid(row) ? items[row] : null));
}

type Items = BigInt64Array | Float64Array | Int32Array;

interface TypedItems {
  readonly items: Items;
  readonly allValid: boolean;
  readonly valid: (row: number) => boolean;
}

const typedIds: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.TIMESTAMP,
]);

// `items` and `validity` are private in the binding's declarations. Reading them whole instead
// of value by value is several times faster; a version without them falls back to the slow way,
// and a test compares both.
function typedItems(vector: DuckDBVector): TypedItems | undefined {
  if (!typedIds.has(vector.type.typeId)) return undefined;
  const inside = vector as unknown as {
    readonly items?: unknown;
    readonly validity?: { readonly data?: unknown; itemValid(row: number): boolean };
  };
  const { items, validity } = inside;
  const known =
    items instanceof BigInt64Array || items instanceof Float64Array || items instanceof Int32Array;
  if (!known || validity === undefined) return undefined;
  return {
    items,
    allValid: validity.data === null,
    valid: (row) => validity.itemValid(row),
  };
}

function readBigInts(items: BigInt64Array, typed: TypedItems): ArrayLike<unknown> {
  if (!typed.allValid) {
    return fill(items.length, (row) => (typed.valid(row) ? plainInteger(items[row] ?? 0n) : null));
  }
  const numbers = new Float64Array(items.length);
  for (let row = 0; row < items.length; row += 1) {
    const number = Number(items[row]);
    if (!Number.isSafeInteger(number)) {
      return fill(items.length, (position) => plainInteger(items[position] ?? 0n));
    }
    numbers[row] = number;
  }
  return numbers;
}

function readOther(vector: DuckDBVector): ArrayLike<unknown> {
  if (vector.type.typeId === DuckDBTypeId.BOOLEAN) {
    return fill(vector.itemCount, (row) => vector.getItem(row));
  }
  return fill(vector.itemCount, (row) =>
    plain(JSDuckDBValueConverter(vector.getItem(row), vector.type, JSDuckDBValueConverter)),
  );
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return plainInteger(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function plainInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function dateOf(micros: bigint): Date {
  return new Date(Number(micros) / 1_000);
}

function fill(length: number, value: (row: number) => unknown): unknown[] {
  const values: unknown[] = Array.from({ length });
  for (let row = 0; row < length; row += 1) values[row] = value(row);
  return values;
}
