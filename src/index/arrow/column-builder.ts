import { Buffer } from "node:buffer";
import type { DuckDBVector } from "#index/duckdb.ts";
import { type Data, makeData } from "apache-arrow";
import type { ColumnForm, ColumnLayout } from "#index/arrow/arrow-type.ts";
import { NullBits } from "#index/arrow/null-bits.ts";
import { VariableColumn } from "#index/arrow/variable-column.ts";
import { hasValue, type VectorMemory, vectorMemory } from "#index/arrow/vector-memory.ts";

const decimalBytes = 16;

/** One column of a record batch, filled from chunks of DuckDB without a value in between. */
export class ColumnBuilder {
  readonly #form: ColumnForm;
  readonly #nulls: NullBits;
  readonly #values: Values;
  #rows = 0;

  constructor(form: ColumnForm, rowsMax: number) {
    this.#form = form;
    this.#nulls = new NullBits(rowsMax);
    this.#values = valuesFor(form.layout, rowsMax);
  }

  /** Bytes of values of any length so far. */
  get variableBytes(): number {
    return this.#values.variableBytes;
  }

  /** Adds rows `[from, to)` of a chunk. */
  append(vector: DuckDBVector, from: number, to: number): void {
    const memory = vectorMemory(vector);
    const anyNull = this.#nulls.append(memory.validity, from, to, this.#rows);
    // A chunk that has room for nulls need not have any: then the values are copied in one go.
    const { bytes } = memory;
    this.#values.append(anyNull ? memory : { bytes, validity: undefined }, from, to, this.#rows);
    this.#rows += to - from;
  }

  /**
   * The column, until something is added again: that begins anew in the same memory. Fresh
   * memory for every batch costs more than filling it.
   */
  finish(): Data {
    const length = this.#rows;
    this.#rows = 0;
    return makeData({
      type: this.#form.type,
      length,
      ...this.#nulls.finish(length),
      ...this.#values.finish(length),
    } as Parameters<typeof makeData>[0]);
  }
}

/** What a layout does with the values; rows without one stay zero, so that bytes are the same. */
interface Values {
  readonly variableBytes: number;
  append(memory: VectorMemory, from: number, to: number, at: number): void;
  finish(rows: number): { readonly data: Uint8Array; readonly valueOffsets?: Int32Array };
}

function valuesFor(layout: ColumnLayout, rowsMax: number): Values {
  switch (layout.kind) {
    case "fixed":
      return fixedValues(layout.width, rowsMax);
    case "sign-extended":
      return decimalValues(layout.from, rowsMax);
    case "bit":
      return bitValues(rowsMax);
    case "variable":
      return variableValues(rowsMax);
    case "enum":
      return enumValues(layout.values, rowsMax);
    default:
      return layout satisfies never;
  }
}

function fixedValues(width: number, rowsMax: number): Values {
  const data = new Uint8Array(rowsMax * width);
  return {
    variableBytes: 0,
    append({ bytes, validity }, from, to, at) {
      data.set(bytes.subarray(from * width, to * width), at * width);
      if (validity === undefined) return;
      for (let row = from; row < to; row += 1) {
        const start = (at + row - from) * width;
        if (!hasValue(validity, row)) data.fill(0, start, start + width);
      }
    },
    finish: (rows) => ({ data: data.subarray(0, rows * width) }),
  };
}

function decimalValues(from: number, rowsMax: number): Values {
  if (from === decimalBytes) return fixedValues(from, rowsMax);
  const data = Buffer.alloc(rowsMax * decimalBytes);
  return {
    variableBytes: 0,
    append({ bytes, validity }, first, to, at) {
      for (let row = first; row < to; row += 1) {
        const start = (at + row - first) * decimalBytes;
        const isNull = validity !== undefined && !hasValue(validity, row);
        const value = bytes.subarray(row * from, (row + 1) * from);
        if (!isNull) data.set(value, start);
        const negative = !isNull && (value.at(-1) ?? 0) > 0x7f;
        const rest = isNull ? start : start + from;
        data.fill(negative ? 0xff : 0, rest, start + decimalBytes);
      }
    },
    finish: (rows) => ({ data: data.subarray(0, rows * decimalBytes) }),
  };
}

function bitValues(rowsMax: number): Values {
  const data = new Uint8Array(Math.ceil(rowsMax / 8));
  return {
    variableBytes: 0,
    append({ bytes, validity }, from, to, at) {
      if (at === 0) data.fill(0);
      for (let row = from; row < to; row += 1) {
        if (bytes[row] === 0 || (validity !== undefined && !hasValue(validity, row))) continue;
        const position = at + row - from;
        data[position >> 3] = (data[position >> 3] ?? 0) | (1 << (position & 7));
      }
    },
    finish: (rows) => ({ data: data.subarray(0, Math.ceil(rows / 8)) }),
  };
}

function variableValues(rowsMax: number): Values {
  const column = new VariableColumn(rowsMax);
  return {
    get variableBytes() {
      return column.length;
    },
    append: (memory, from, to) => column.append(memory, from, to),
    finish: () => column.finish(),
  };
}

function enumValues(values: readonly string[], rowsMax: number): Values {
  const column = new VariableColumn(rowsMax);
  const texts = values.map((value) => Buffer.from(value));
  // DuckDB numbers the values in as few bytes as all of them need.
  const width = enumWidth(values.length);
  return {
    get variableBytes() {
      return column.length;
    },
    append({ bytes, validity }, from, to) {
      const numbers = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let row = from; row < to; row += 1) {
        const known = validity === undefined || hasValue(validity, row);
        column.push(known ? texts[numbers.readUIntLE(row * width, width)] : undefined);
      }
    },
    finish: () => column.finish(),
  };
}

function enumWidth(values: number): number {
  if (values <= 2 ** 8) return 1;
  return values <= 2 ** 16 ? 2 : 4;
}
