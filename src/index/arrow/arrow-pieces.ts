import type { DuckDBDataChunk, DuckDBResult } from "#index/duckdb.ts";
import { Field, RecordBatch, Schema, Struct, makeData } from "apache-arrow";
import { type ColumnForm, columnForm } from "#index/arrow/arrow-type.ts";
import { batchColumns } from "#index/arrow/batch-columns.ts";
import { ColumnBuilder } from "#index/arrow/column-builder.ts";
import { IpcBytes, type IpcForm } from "#index/arrow/ipc-bytes.ts";
import type { ArrowPiece } from "#model/record-batch.ts";

/** A whole number of DuckDB's vectors, and of its row groups. */
const batchRows = 122_880;
/** A batch of long values ends earlier. */
const batchVariableBytes = 256 * 1024 * 1024;

/**
 * A result as the bytes of Arrow's interprocess format, from column chunks to columns without a
 * row or a value in between. The same rows in the same order give the same bytes: batches end
 * after a fixed number of rows, and what has no value is zero. The bytes of a piece are good
 * until the next one is asked for.
 */
export async function* arrowPieces(
  result: DuckDBResult,
  chunks: AsyncIterable<DuckDBDataChunk>,
  form: IpcForm,
): AsyncGenerator<ArrowPiece> {
  const forms = columnForms(result);
  const schema = new Schema(forms.map(({ name, type }) => new Field(name, type, true)));
  const columns = batchColumns(schema);
  const ipc = new IpcBytes(form);
  yield { columns, rows: 0, bytes: ipc.begin(schema) };
  const open = new OpenBatch(schema, forms);
  for await (const chunk of chunks) {
    for (let row = 0; row < chunk.rowCount;) {
      row += open.append(chunk, row);
      if (!open.isFull) continue;
      yield { columns, rows: open.rows, bytes: ipc.add(open.finish()) };
    }
  }
  if (open.rows > 0) yield { columns, rows: open.rows, bytes: ipc.add(open.finish()) };
  yield { columns, rows: 0, bytes: ipc.end() };
}

function columnForms(result: DuckDBResult): readonly ColumnForm[] {
  const types = result.columnTypes();
  return result.deduplicatedColumnNames().map((name, column) => {
    const type = types[column];
    if (type === undefined) throw new Error(`the column ${name} has no type`);
    return columnForm(name, type);
  });
}

/** A record batch that is being filled. */
class OpenBatch {
  readonly #schema: Schema;
  readonly #builders: readonly ColumnBuilder[];
  rows = 0;

  constructor(schema: Schema, forms: readonly ColumnForm[]) {
    this.#schema = schema;
    this.#builders = forms.map((form) => new ColumnBuilder(form, batchRows));
  }

  get isFull(): boolean {
    if (this.rows === batchRows) return true;
    return this.#builders.some(({ variableBytes }) => variableBytes > batchVariableBytes);
  }

  /** Takes rows of a chunk from `from` on, as many as it has room for; says how many. */
  append(chunk: DuckDBDataChunk, from: number): number {
    const to = Math.min(chunk.rowCount, from + batchRows - this.rows);
    this.#builders.forEach((builder, column) => {
      builder.append(chunk.getColumnVector(column), from, to);
    });
    this.rows += to - from;
    return to - from;
  }

  finish(): RecordBatch {
    const length = this.rows;
    this.rows = 0;
    const children = this.#builders.map((builder) => builder.finish());
    const type = new Struct(this.#schema.fields);
    return new RecordBatch(this.#schema, makeData({ type, length, nullCount: 0, children }));
  }
}
