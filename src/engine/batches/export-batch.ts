import { copyFile, stat } from "node:fs/promises";
import { extname } from "node:path";
import { unwritableBatch } from "#engine/batches/batch-error.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { type BatchRegistry, batchProfile } from "#engine/batches/batch-registry.ts";
import { convertArrowFile } from "#index/arrow/convert-arrow-file.ts";
import { placed, writeCarFile } from "#engine/write-car-file.ts";
import type { ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BatchExportRequest, BatchRecord } from "#model/record-batch.ts";
import { type RowFile, rowFileFormats } from "#model/row-file.ts";

/**
 * Writes a batch to a file in the format that its extension says, after its bytes were checked.
 * A CAR holds the same file as blocks, and has the CID of the batch as its root.
 */
export async function exportBatch(
  registry: BatchRegistry,
  { batch: reference, file }: BatchExportRequest,
): Promise<RowFile> {
  const extension = extname(file).slice(1);
  const format = rowFileFormats.find((known) => known === extension);
  if (format === undefined && extension !== "car") {
    const endings = ["car", ...rowFileFormats].map((known) => `.${known}`).join(", ");
    throw new EngineError("USAGE", `${file}: the format is told by the extension`, {
      hint: `end the name in ${endings}`,
    });
  }
  const batch = await registry.find(reference);
  try {
    await makeFolderOf(file);
    const path = await registry.verified(batch.cid);
    if (format === "arrow") await placed(file, async (draft) => await copyFile(path, draft));
    else if (format === undefined) await writeCarFile(path, objectOf(batch), file);
    else await convertArrowFile(path, file, format);
    return { file, rows: batch.rows, bytes: (await stat(file)).size };
  } catch (error) {
    throw unwritableBatch(file, error);
  }
}

function objectOf({ cid, bytes }: BatchRecord): ObjectRef {
  return { cid, size: bytes, profile: batchProfile };
}
