import type { Database } from "#index/database.ts";
import { openRowFile, type RowFileOptions } from "#index/row-files/open-row-file.ts";
import { pieceRowsMax } from "#index/row-files/row-file-source.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ColumnBatch } from "#model/sql.ts";

export interface ReadRowsOptions extends RowFileOptions {
  /** Columns in this order, behind the position of each row; null where the file lacks one. */
  readonly wanted: readonly string[];
  /** Rows that are passed over. */
  readonly after: number;
}

/** Rows of a file as columns of text; throws CORRUPT at the first one that cannot be read. */
export async function* readRows(
  database: Database,
  path: string,
  { wanted, after, ...options }: ReadRowsOptions,
): AsyncGenerator<ColumnBatch> {
  const connection = await database.connect();
  try {
    const file = await openRowFile(connection, path, options);
    const names = wanted.map((name) => `"${name}"`).join(", ");
    for await (const _ of file.pieces(connection, wanted, { after, rows: pieceRowsMax })) {
      const [bad] = await connection.rows<{ position: number; problem: string }>(
        "SELECT position, problem FROM file_rows WHERE problem IS NOT NULL LIMIT 1",
      );
      if (bad !== undefined) {
        throw new EngineError("CORRUPT", `${path}, line ${bad.position + 1}: ${bad.problem}`, {
          hint: "take the file from its source again",
        });
      }
      const text = `SELECT position, ${names} FROM file_rows ORDER BY position`;
      yield* connection.columns({ text, parameters: [] });
    }
  } finally {
    connection.close();
  }
}
