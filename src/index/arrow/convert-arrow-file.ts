import { mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type DuckDBAppender,
  type DuckDBConnection,
  blobValue,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBVector,
} from "#index/duckdb.ts";
import { RecordBatchReader, type Schema, type Vector } from "apache-arrow";
import { batchColumns } from "#index/arrow/batch-columns.ts";
import { type DuckDBForm, duckdbForm } from "#index/arrow/duckdb-type.ts";
import { vectorMemory } from "#index/arrow/vector-memory.ts";
import { copyOptions } from "#index/copy-options.ts";
import { duckdbLimit } from "#index/duckdb-limit.ts";
import { indexError } from "#index/index-error.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import { chunkRowsMax } from "#index/stage-chunk.ts";
import type { DuckDBFormat } from "#model/sql.ts";

const memoryLimit = "1GiB";

/**
 * Writes the rows of an Arrow file in a format of DuckDB, in their order, by way of a database
 * beside the new file that is gone afterwards. The file appears whole or not at all.
 */
export async function convertArrowFile(
  from: string,
  to: string,
  format: DuckDBFormat,
): Promise<{ rows: number; bytes: number }> {
  const folder = await mkdtemp(join(dirname(to), ".convert-"));
  const written = join(folder, "rows");
  try {
    const instance = await DuckDBInstance.create(join(folder, "rows.duckdb"), {
      memory_limit: duckdbLimit(memoryLimit),
    });
    const connection = await instance.connect();
    try {
      const rows = await load(connection, from);
      await connection.run(`COPY rows TO ${sqlLiteral(written)} (${copyOptions[format]})`);
      await rename(written, to);
      return { rows, bytes: (await stat(to)).size };
    } catch (error) {
      throw indexError(error);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function load(connection: DuckDBConnection, path: string): Promise<number> {
  const file = await open(path, "r");
  let appender: DuckDBAppender | undefined;
  try {
    const reader = await (await RecordBatchReader.from(file)).open();
    const forms = formsOf(reader.schema);
    const columns = forms.map(
      ({ name, type }) => `"${name.replaceAll('"', '""')}" ${type.toString()}`,
    );
    await connection.run(`CREATE TABLE rows (${columns.join(", ")})`);
    appender = await connection.createAppender("rows");
    let rows = 0;
    for await (const batch of reader) {
      for (let from = 0; from < batch.numRows; from += chunkRowsMax) {
        const to = Math.min(batch.numRows, from + chunkRowsMax);
        appender.appendDataChunk(chunkOf(forms, batch.slice(from, to)));
      }
      rows += batch.numRows;
    }
    appender.flushSync();
    return rows;
  } finally {
    appender?.closeSync();
    await file.close();
  }
}

type NamedForm = DuckDBForm & { readonly name: string };

function formsOf(schema: Schema): readonly NamedForm[] {
  const texts = batchColumns(schema);
  return schema.fields.map(({ name, type }, column) => ({
    name,
    ...duckdbForm(name, type, texts[column]?.type ?? ""),
  }));
}

interface Rows {
  readonly numRows: number;
  getChildAt(column: number): Vector | null;
}

function chunkOf(forms: readonly NamedForm[], rows: Rows): DuckDBDataChunk {
  const chunk = DuckDBDataChunk.create(
    forms.map(({ type }) => type),
    rows.numRows,
  );
  forms.forEach((form, column) => {
    const values = rows.getChildAt(column);
    const target = chunk.getColumnVector(column);
    if (values === null) throw new Error(`a batch lacks the column ${form.name}`);
    if (form.sameBytes) copyBytes(values, target);
    else copyValues(values, target);
    target.flush();
  });
  return chunk;
}

function copyBytes(values: Vector, target: DuckDBVector): void {
  const { bytes } = vectorMemory(target);
  let end = 0;
  for (const { values: part } of values.data) {
    const view = part as unknown as ArrayBufferView;
    bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), end);
    end += view.byteLength;
  }
  if (values.nullCount === 0) return;
  for (let row = 0; row < values.length; row += 1) {
    if (!values.isValid(row)) target.setItem(row, null);
  }
}

function copyValues(values: Vector, target: DuckDBVector): void {
  for (let row = 0; row < values.length; row += 1) {
    const value = values.get(row) as string | boolean | Uint8Array | null;
    target.setItem(row, value instanceof Uint8Array ? blobValue(value) : value);
  }
}
