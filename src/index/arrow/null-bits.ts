import { hasValue } from "#index/arrow/vector-memory.ts";

/** Which rows of a column have no value, as Arrow keeps it. */
export class NullBits {
  readonly #rowsMax: number;
  /** Made, or made all ones again, by the first null. */
  #bits: Uint8Array | undefined;
  #nulls = 0;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  /** Notes rows `[from, to)` of a chunk as rows from `at` on; says whether any is null. */
  append(validity: Uint8Array | undefined, from: number, to: number, at: number): boolean {
    if (validity === undefined) return false;
    const before = this.#nulls;
    for (let row = from; row < to; row += 1) {
      if (hasValue(validity, row)) continue;
      const position = at + row - from;
      const bits = this.#written();
      bits[position >> 3] = (bits[position >> 3] ?? 0) & ~(1 << (position & 7));
      this.#nulls += 1;
    }
    return this.#nulls > before;
  }

  /** For a column that ends after so many rows; what is added next begins anew. */
  finish(rows: number): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
    const nullCount = this.#nulls;
    if (this.#bits === undefined || nullCount === 0) return { nullCount: 0 };
    this.#nulls = 0;
    const nullBitmap = this.#bits.subarray(0, Math.ceil(rows / 8));
    // The same rows give the same bytes: what lies beyond the last one is zero.
    const last = nullBitmap.length - 1;
    if (rows % 8 > 0) nullBitmap[last] = (nullBitmap[last] ?? 0) & (0xff >> (8 - (rows % 8)));
    return { nullCount, nullBitmap };
  }

  #written(): Uint8Array {
    this.#bits ??= new Uint8Array(Math.ceil(this.#rowsMax / 8));
    if (this.#nulls === 0) this.#bits.fill(0xff);
    return this.#bits;
  }
}
