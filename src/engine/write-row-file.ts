import { extname } from "node:path";
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

/** The format that the extension of a file says. Throws USAGE. */
export function rowFormatOf(file: string): RowFormat {
  const extension = extname(file).slice(1);
  const format = rowFileFormats.find((known) => known === extension);
  if (format !== undefined) return format;
  throw new EngineError("USAGE", `${file}: the format is told by the extension`, {
    hint: `end the name in ${rowFileFormats.map((known) => `.${known}`).join(", ")}`,
  });
}
