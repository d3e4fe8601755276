import { bindings, DuckDBVarCharVector, type DuckDBBlobVector } from "#index/duckdb.ts";

// DuckDB's string_t: 4 bytes of length, then up to 12 bytes of the value itself, or 4 bytes of
// prefix and the address of the value.
const cellBytes = 16;
const inlineMax = 12;
const inlineOffset = 4;
const addressOffset = 8;

/**
 * Strings or bytes of a chunk. Values that lie one after the other in memory, as they do after
 * a scan, are fetched in one call to the binding, which costs far more than the bytes.
 *
 * The cells are private in the binding's declarations; a version without them falls back to
 * value by value, and a test compares both. Only memory that values own is read.
 */
export function readVariable(
  vector: DuckDBVarCharVector | DuckDBBlobVector,
): readonly (string | Uint8Array | null)[] {
  const text = vector instanceof DuckDBVarCharVector;
  const cells = cellsOf(vector);
  if (cells === undefined) return readOneByOne(vector);
  const { view, valid } = cells;
  const values: (string | Uint8Array | null)[] = Array.from({ length: vector.itemCount });
  for (let row = 0; row < vector.itemCount;) {
    if (!valid(row)) {
      values[row] = null;
      row += 1;
      continue;
    }
    const cell = row * cellBytes;
    const before = values[row - 1];
    if (typeof before === "string" && isSameCell(view, cell)) {
      values[row] = before;
      row += 1;
      continue;
    }
    const length = view.getUint32(cell, true);
    if (length <= inlineMax) {
      const start = view.byteOffset + cell + inlineOffset;
      values[row] = copyOf(Buffer.from(view.buffer, start, length), 0, length, text);
      row += 1;
    } else row = readRun(cells, row, values, text);
  }
  return values;
}

/** Whether a cell is like the one before: a column with one value has one address throughout. */
function isSameCell(view: DataView<ArrayBuffer>, cell: number): boolean {
  for (let at = cell; at < cell + cellBytes; at += Uint32Array.BYTES_PER_ELEMENT) {
    if (view.getUint32(at, true) !== view.getUint32(at - cellBytes, true)) return false;
  }
  return true;
}

interface Cells {
  readonly view: DataView<ArrayBuffer>;
  readonly valid: (row: number) => boolean;
}

function cellsOf(vector: DuckDBVarCharVector | DuckDBBlobVector): Cells | undefined {
  const inside = vector as unknown as {
    readonly dataView?: unknown;
    readonly validity?: { itemValid(row: number): boolean };
  };
  const { dataView: view, validity } = inside;
  if (!(view instanceof DataView) || validity === undefined) return undefined;
  if (view.byteLength < vector.itemCount * cellBytes) return undefined;
  return {
    view: view as DataView<ArrayBuffer>,
    valid: (row) => validity.itemValid(row),
  };
}

/** Reads the long values from `first` on that follow each other in memory; gives the next row. */
function readRun(
  { view, valid }: Cells,
  first: number,
  values: (string | Uint8Array | null)[],
  text: boolean,
): number {
  const lengths: number[] = [];
  let end = view.getBigUint64(first * cellBytes + addressOffset, true);
  let total = 0;
  let row = first;
  for (; row < values.length && valid(row); row += 1) {
    const length = view.getUint32(row * cellBytes, true);
    if (length <= inlineMax) break;
    if (view.getBigUint64(row * cellBytes + addressOffset, true) !== end) break;
    lengths.push(length);
    total += length;
    end += BigInt(length);
  }
  const bytes = bindings.get_data_from_pointer(
    view.buffer,
    view.byteOffset + first * cellBytes + addressOffset,
    total,
  );
  const run = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  lengths.forEach((length, position) => {
    values[first + position] = copyOf(run, start, start + length, text);
    start += length;
  });
  return row;
}

function copyOf(source: Buffer, start: number, end: number, text: boolean): string | Uint8Array {
  if (text) return source.toString("utf8", start, end);
  return new Uint8Array(source.subarray(start, end));
}

function readOneByOne(
  vector: DuckDBVarCharVector | DuckDBBlobVector,
): readonly (string | Uint8Array | null)[] {
  return Array.from({ length: vector.itemCount }, (_, row) =>
    vector instanceof DuckDBVarCharVector
      ? vector.getItem(row)
      : (vector.getItemBytes(row)?.slice() ?? null),
  );
}
