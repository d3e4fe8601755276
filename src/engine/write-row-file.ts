import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { extname } from "node:path";
import { addressFile } from "#content/address-file.ts";
import { batchProfile } from "#engine/batches/batch-registry.ts";
import { writeCarFile } from "#engine/write-car-file.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { EngineError } from "#model/engine-error.ts";
import { type RowFile, rowFileFormats } from "#model/row-file.ts";
import type { ReadSession, RowFormat, SqlStatement } from "#model/sql.ts";

/**
 * Writes a query's rows, which it must order, to a file in the format that its extension says.
 * The file appears whole or not at all.
 */
export async function writeRowFile(
  session: ReadSession,
  statement: SqlStatement,
  file: string,
): Promise<RowFile> {
  const format = rowFormatOf(file);
  await makeFolderOf(file);
  return { file, ...(await session.exportRows(statement, file, format)) };
}

/**
 * Writes them as an Arrow file in a CAR, whose root is the CID of that file: the one that the same
 * rows have as a record batch.
 */
export async function writeRowCar(
  session: ReadSession,
  statement: SqlStatement,
  file: string,
): Promise<RowFile> {
  const arrow = `${file}.${randomUUID()}.arrow`;
  try {
    const { rows } = await writeRowFile(session, statement, arrow);
    const { cid, size } = await addressFile(createReadStream(arrow), batchProfile);
    await writeCarFile(arrow, { cid, size, profile: batchProfile }, file);
    return { file, rows, bytes: (await stat(file)).size, cid };
  } finally {
    await rm(arrow, { force: true });
  }
}

/** The format that the extension of a file says. Throws USAGE. */
export function rowFormatOf(file: string): RowFormat {
  const extension = extname(file).slice(1);
  const format = rowFileFormats.find((known) => known === extension);
  if (format !== undefined) return format;
  throw new EngineError("USAGE", `${file}: the format is told by the extension`, {
    hint: `end the name in ${rowFileFormats.map((known) => `.${known}`).join(", ")}`,
  });
}
