import { rowFormatOf } from "#engine/write-row-file.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import type { QueryExportRequest } from "#model/query-api.ts";
import type { RowFile } from "#model/row-file.ts";

/** Writes the rows of a statement that a person wrote to a file, which appears whole. */
export async function exportQuery(
  index: ObjectIndex,
  { text, file }: QueryExportRequest,
): Promise<RowFile> {
  const format = rowFormatOf(file);
  await using session = await index.session();
  await makeFolderOf(file);
  return { file, ...(await session.exportUserRows(text, file, format)) };
}
