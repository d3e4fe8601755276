import type { DuckDBVector } from "#index/duckdb.ts";
import { EngineError } from "#model/engine-error.ts";

/** What a vector of DuckDB keeps, as bytes; only valid while its chunk is. */
export interface VectorMemory {
  /** The values one after the other, or the cells of values of any length. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One bit a row, lowest first, 0 for null; undefined when nothing is null. */
  readonly validity: Uint8Array | undefined;
}

/**
 * The binding declares these fields private, and gives no other way but value by value, which
 * is an order of magnitude slower. A test compares both for every type, so that a version of the
 * binding without them is noticed.
 */
export function vectorMemory(vector: DuckDBVector): VectorMemory {
  const inside = vector as unknown as {
    readonly items?: unknown;
    readonly dataView?: unknown;
    readonly validity?: { readonly data?: unknown };
  };
  const values = inside.items ?? inside.dataView;
  const bits = inside.validity?.data;
  if (!ArrayBuffer.isView(values) || bits === undefined) {
    throw new EngineError(
      "INTERNAL",
      `a vector of ${vector.type.toString()} has no memory that can be read`,
      {
        hint: "this version needs the @duckdb/node-api that it was made with",
      },
    );
  }
  return {
    bytes: bytesOf(values),
    validity: ArrayBuffer.isView(bits) ? bytesOf(bits) : undefined,
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Whether a row has a value. */
export function hasValue(validity: Uint8Array, row: number): boolean {
  return (((validity[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
}
