import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, open, rename, rm, stat } from "node:fs/promises";
import { extname } from "node:path";
import { fileToCar } from "#content/file-to-car.ts";
import { unwritableBatch } from "#engine/batches/batch-error.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { type BatchRegistry, batchProfile } from "#engine/batches/batch-registry.ts";
import { convertArrowFile } from "#index/arrow/convert-arrow-file.ts";
import { writePieces } from "#index/arrow/write-pieces.ts";
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
    else if (format === undefined)
      await placed(file, async (draft) => await pack(batch, path, draft));
    else await convertArrowFile(path, file, format);
    return { file, rows: batch.rows, bytes: (await stat(file)).size };
  } catch (error) {
    throw unwritableBatch(file, error);
  }
}

async function pack({ cid, bytes }: BatchRecord, path: string, draft: string): Promise<void> {
  const file = await open(draft, "wx");
  try {
    const car = fileToCar(createReadStream(path), { cid, size: bytes, profile: batchProfile });
    for await (const piece of car) await writePieces(file, [piece]);
  } finally {
    await file.close();
  }
}

/** The file appears whole, under its name, or not at all. */
async function placed(file: string, write: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await write(draft);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
