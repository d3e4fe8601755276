import { open } from "node:fs/promises";
import { RecordBatchReader } from "apache-arrow";
import { batchColumns } from "#index/arrow/batch-columns.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BatchRecord } from "#model/record-batch.ts";

export type ArrowDescription = Pick<BatchRecord, "rows" | "columns">;

const magic = Buffer.from("ARROW1");

/** Rows and columns of a file in memory, read from its footer. Throws CORRUPT. */
export function describeArrowBytes(bytes: Uint8Array): ArrowDescription {
  requireFile(bytes.subarray(0, magic.length));
  try {
    const reader = RecordBatchReader.from(bytes).open();
    // The reader forgets it at its end.
    const columns = batchColumns(reader.schema);
    let rows = 0;
    for (const batch of reader) rows += batch.numRows;
    return { rows, columns };
  } catch (error) {
    throw notArrow(error);
  }
}

/** The same of a file, one record batch after the other. */
export async function describeArrowFile(path: string): Promise<ArrowDescription> {
  const file = await open(path, "r");
  try {
    const begin = Buffer.alloc(magic.length);
    await file.read(begin, 0, magic.length, 0);
    requireFile(begin);
    const reader = await (await RecordBatchReader.from(file)).open();
    // The reader forgets it at its end.
    const columns = batchColumns(reader.schema);
    let rows = 0;
    for await (const batch of reader) rows += batch.numRows;
    return { rows, columns };
  } catch (error) {
    throw notArrow(error);
  } finally {
    await file.close();
  }
}

/** Only files can be mapped and read anywhere in them: the streaming format has no footer. */
function requireFile(begin: Uint8Array): void {
  if (magic.compare(begin) !== 0) throw notArrow();
}

function notArrow(cause?: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  return new EngineError("CORRUPT", "this is no file of Arrow's interprocess format", {
    hint: "write the file format (pyarrow.ipc.new_file), not the stream, and write it to its end",
    cause,
  });
}
