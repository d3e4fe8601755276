import { mkdir } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import { type RowFile, rowFileFormats } from "#model/row-file.ts";
import type { ReadSession, SqlStatement } from "#model/sql.ts";

/**
 * Writes a query's rows, which it must order, to a file in the format that its extension says.
 * The file appears whole or not at all.
 */
export async function writeRowFile(
  session: ReadSession,
  statement: SqlStatement,
  file: string,
): Promise<RowFile> {
  const extension = extname(file).slice(1);
  const format = rowFileFormats.find((known) => known === extension);
  if (format === undefined) {
    throw new EngineError("USAGE", `${file}: the format is told by the extension`, {
      hint: `end the name in ${rowFileFormats.map((known) => `.${known}`).join(", ")}`,
    });
  }
  await mkdir(dirname(file), { recursive: true });
  return { file, ...(await session.exportRows(statement, file, format)) };
}
