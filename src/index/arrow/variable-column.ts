import { bindings } from "#index/duckdb.ts";
import { hasValue, type VectorMemory } from "#index/arrow/vector-memory.ts";
import { EngineError } from "#model/engine-error.ts";

// DuckDB's string_t: 4 bytes of length, then up to 12 bytes of the value itself, or 4 bytes of
// prefix and the address of the value.
const cellBytes = 16;
const cellWords = cellBytes / 4;
const inlineMax = 12;
const inlineOffset = 4;
const addressOffset = 8;
/** Addresses are compared as numbers, which are exact below this. */
const highWordMax = 2 ** 21;
const firstBytes = 1 << 16;
/** Offsets are 32 bits wide, and a batch ends long before that when it can. */
const bytesMax = 2 ** 31 - 1;

/** Where runs that were fetched lie among the bytes of the column, by address. */
type KnownRuns = Map<number, { readonly at: number; readonly length: number }>;

/** Strings or bytes of a column: where each begins, and all of them one after the other. */
export class VariableColumn {
  readonly #offsets: Int32Array;
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #rows = 0;
  #end = 0;

  constructor(rowsMax: number) {
    this.#offsets = new Int32Array(rowsMax + 1);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#end;
  }

  /** Adds one value. */
  push(value: Uint8Array | undefined): void {
    if (value !== undefined) {
      this.#reserve(value.length);
      this.#bytes.set(value, this.#end);
      this.#end += value.length;
    }
    this.#rows += 1;
    this.#offsets[this.#rows] = this.#end;
  }

  /**
   * Adds rows `[from, to)` of a chunk. Values that lie one after the other in memory, as they do
   * after a scan, are fetched in one call to the binding, which costs far more than the bytes;
   * values that rows share, as they do in a dictionary, are fetched once.
   */
  append({ bytes, validity }: VectorMemory, from: number, to: number): void {
    const cells = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    const known: KnownRuns = new Map();
    for (let row = from; row < to;) {
      const cell = row * cellWords;
      const length = cells[cell] ?? 0;
      if (validity !== undefined && !hasValue(validity, row)) {
        this.#close(0);
        row += 1;
      } else if (length <= inlineMax) {
        this.#inline(bytes, row * cellBytes + inlineOffset, length);
        row += 1;
      } else row = this.#run({ bytes, validity }, cells, known, row, to);
    }
  }

  /** Exactly what was added, until something is added again, which then begins anew. */
  finish(): { readonly valueOffsets: Int32Array; readonly data: Uint8Array } {
    const [rows, end] = [this.#rows, this.#end];
    this.#rows = 0;
    this.#end = 0;
    return {
      valueOffsets: this.#offsets.subarray(0, rows + 1),
      data: this.#bytes.subarray(0, end),
    };
  }

  #inline(bytes: Uint8Array, start: number, length: number): void {
    this.#reserve(inlineMax);
    // So few bytes are moved faster one by one than by a call.
    for (let at = 0; at < length; at += 1) this.#bytes[this.#end + at] = bytes[start + at] ?? 0;
    this.#close(length);
  }

  #run(
    { bytes, validity }: VectorMemory,
    cells: Uint32Array,
    known: KnownRuns,
    first: number,
    to: number,
  ): number {
    const address = addressOf(cells, first);
    const firstLength = cells[first * cellWords] ?? 0;
    const copied = known.get(address);
    if (copied !== undefined && firstLength <= copied.length) {
      this.#reserve(firstLength);
      this.#bytes.copyWithin(this.#end, copied.at, copied.at + firstLength);
      this.#close(firstLength);
      return first + 1;
    }
    let total = 0;
    let row = first;
    for (; row < to; row += 1) {
      const length = cells[row * cellWords] ?? 0;
      if (row > first) {
        if (length <= inlineMax || addressOf(cells, row) !== address + total) break;
        if (validity !== undefined && !hasValue(validity, row)) break;
      }
      total += length;
      this.#rows += 1;
      this.#offsets[this.#rows] = this.#end + total;
    }
    if (!Number.isNaN(address)) known.set(address, { at: this.#end, length: total });
    const start = bytes.byteOffset + first * cellBytes + addressOffset;
    const values = bindings.get_data_from_pointer(bytes.buffer, start, total);
    this.#reserve(total);
    this.#bytes.set(values, this.#end);
    this.#end += total;
    return row;
  }

  #close(length: number): void {
    this.#end += length;
    this.#rows += 1;
    this.#offsets[this.#rows] = this.#end;
  }

  #reserve(length: number): void {
    const needed = this.#end + length;
    if (needed <= this.#bytes.length) return;
    if (needed > bytesMax) {
      throw new EngineError("NOT_SUPPORTED", "2,048 rows have values of more than 1 GiB", {
        hint: "leave the column with long values out of the query",
      });
    }
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** Where a long value lies; NaN, which equals nothing, for what no number can hold exactly. */
function addressOf(cells: Uint32Array, row: number): number {
  const low = cells[row * cellWords + 2] ?? 0;
  const high = cells[row * cellWords + 3] ?? 0;
  return high < highWordMax ? high * 2 ** 32 + low : Number.NaN;
}
