import type { Connection } from "#index/connection.ts";
import { literalPath } from "#index/literal-path.ts";
import type { PieceBounds, RowFileSource, RowPiece } from "#index/row-files/row-file-source.ts";
import { unreadable } from "#index/row-files/unreadable.ts";
import { sqlLiteral } from "#index/sql-literal.ts";
import type { SqlRow } from "#model/sql.ts";

interface ColumnRow extends SqlRow {
  readonly column_name: string;
  readonly column_type: string;
}

/** Rows of a Parquet file, read by the database: a piece reads the row groups that it is in. */
export class ParquetRows implements RowFileSource {
  readonly format = "parquet";
  readonly columns: readonly string[];
  readonly fileBytes: number;
  readonly rowsTotal: number;
  readonly #path: string;
  readonly #types: ReadonlyMap<string, ColumnRow>;

  private constructor(path: string, fileBytes: number, rows: number, types: readonly ColumnRow[]) {
    this.#path = path;
    this.fileBytes = fileBytes;
    this.rowsTotal = rows;
    this.#types = new Map(types.map((type) => [type.column_name.toLowerCase(), type]));
    this.columns = [...this.#types.keys()];
  }

  static async open(connection: Connection, path: string, fileBytes: number): Promise<ParquetRows> {
    const file = sqlLiteral(literalPath(path));
    try {
      const { rows } = await connection.row<{ rows: number }>(
        `SELECT num_rows AS rows FROM parquet_file_metadata(${file})`,
      );
      const types = await connection.rows<ColumnRow>(
        `SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(${file}))`,
      );
      return new ParquetRows(path, fileBytes, rows, types);
    } catch (thrown) {
      throw unreadable(path, thrown);
    }
  }

  async *pieces(
    connection: Connection,
    wanted: readonly string[],
    { after, rows }: PieceBounds,
  ): AsyncGenerator<RowPiece> {
    const known = wanted.flatMap((column) => this.#types.get(column) ?? []);
    const columns = wanted.map((column) => `${this.#text(column)} AS "${column}"`);
    const inner = known.map(({ column_name: name }) => identifier(name));
    const file = sqlLiteral(literalPath(this.#path));
    for (let from = after; from < this.rowsTotal; from += rows) {
      const past = Math.min(this.rowsTotal, from + rows);
      const reading = connection.run(
        `CREATE OR REPLACE TEMP TABLE file_rows AS
         SELECT file_row_number AS position, NULL::VARCHAR AS problem, NULL::VARCHAR AS text,
           ${columns.join(", ")}
         FROM (SELECT ${[...inner, "file_row_number"].join(", ")}
           FROM read_parquet(${file}, file_row_number = true)
           WHERE file_row_number >= ${from} AND file_row_number < ${past})`,
      );
      await reading.catch((thrown: unknown) => {
        throw unreadable(this.#path, thrown);
      });
      yield { past, bytesRead: Math.round((this.fileBytes * past) / this.rowsTotal) };
    }
  }

  /** A column as the text that a CSV file would have. */
  #text(column: string): string {
    const type = this.#types.get(column);
    if (type === undefined) return "NULL::VARCHAR";
    const name = identifier(type.column_name);
    // A CID in its binary form, as the text of base16.
    if (type.column_type === "BLOB") return `'f' || lower(hex(${name}))`;
    if (/\[\]|^STRUCT|^MAP|^JSON/.test(type.column_type)) return `to_json(${name})::VARCHAR`;
    return `nullif(${name}::VARCHAR, '')`;
  }
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
