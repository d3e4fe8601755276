import type { Connection, StageType } from "#index/connection.ts";
import { cellSeparator, csvCells } from "#index/row-files/csv-record.ts";
import type { PieceBounds, RowFileSource, RowPiece } from "#index/row-files/row-file-source.ts";
import { type Packing, type TextPiece, textRecords } from "#index/row-files/text-records.ts";
import { sqlLiteral } from "#index/sql-literal.ts";

interface TextFile {
  readonly path: string;
  readonly packing: Packing;
  readonly fileBytes: number;
}

type TextForm =
  | { readonly format: "ndjson"; readonly columns: undefined }
  | {
      readonly format: "csv";
      readonly columns: readonly string[];
      readonly delimiter: string;
      readonly headerLines: 0 | 1;
    };

const lineColumns = {
  position: "BIGINT",
  problem: "VARCHAR",
  text: "VARCHAR",
  record: "VARCHAR",
} as const satisfies Record<string, StageType>;

/**
 * Rows of a CSV or NDJSON file. This thread only finds the ends of lines; the database takes
 * them apart, on its own threads.
 */
export class TextRows implements RowFileSource {
  readonly fileBytes: number;
  readonly rowsTotal = undefined;
  readonly #file: TextFile;
  readonly #form: TextForm;

  constructor(file: TextFile & TextForm) {
    this.fileBytes = file.fileBytes;
    this.#file = file;
    this.#form = file;
  }

  get format() {
    return this.#form.format;
  }

  get columns(): readonly string[] | undefined {
    return this.#form.columns;
  }

  async *pieces(
    connection: Connection,
    wanted: readonly string[],
    { after, rows }: PieceBounds,
  ): AsyncGenerator<RowPiece> {
    const form = this.#form;
    const header = form.format === "csv" ? form.headerLines : 0;
    const delimiter = form.format === "csv" ? form.delimiter : undefined;
    const select = form.format === "csv" ? selectCells(form, wanted) : selectKeys(wanted);
    const { path, packing } = this.#file;
    const options = { packing, delimiter, rows, after: Math.max(after, header) };
    for await (const piece of textRecords(path, options)) {
      await connection.stage("file_lines", lineColumns, rowsOf(piece, delimiter));
      await connection.run(`CREATE OR REPLACE TEMP VIEW file_rows AS ${select}`);
      yield { past: piece.past, bytesRead: piece.bytesRead };
    }
  }
}

/**
 * `record` is what the database takes apart where that is not the text as it stands: cells with
 * quotation marks are taken apart here.
 */
function rowsOf(piece: TextPiece, delimiter: string | undefined) {
  return piece.positions.map((position, at) => {
    const text = piece.texts[at] ?? "";
    const problem = piece.problems[at] ?? null;
    if (delimiter === undefined || problem !== null || !text.includes('"')) {
      return [position, problem, text, null];
    }
    const cells = csvCells(text, delimiter);
    if (cells === undefined) return [position, "a quotation mark is misplaced", text, ""];
    // With one cell there is nothing to separate.
    return [position, null, text, cells.length === 1 ? cells[0] : cells.join(cellSeparator)];
  });
}

function selectCells(
  { columns, delimiter }: Extract<TextForm, { format: "csv" }>,
  wanted: readonly string[],
): string {
  const cell = (column: string) => {
    const at = columns.indexOf(column);
    return at === -1 ? "NULL::VARCHAR" : `nullif(trim(cells[${at + 1}]), '')`;
  };
  const list = wanted.map((column) => `${cell(column)} AS "${column}"`);
  return `SELECT position, text,
      coalesce(problem, CASE WHEN len(cells) <> ${columns.length}
        THEN 'it has ' || len(cells) || ' cells, not ${columns.length}' END) AS problem,
      ${list.join(", ")}
    FROM (SELECT position, problem, text, CASE WHEN record IS NULL
        THEN string_split(text, ${sqlLiteral(delimiter)})
        ELSE string_split(record, ${sqlLiteral(cellSeparator)}) END AS cells FROM file_lines)`;
}

function selectKeys(wanted: readonly string[]): string {
  const paths = wanted.map((column) => sqlLiteral(`$.${column}`)).join(", ");
  const list = wanted.map((column, at) => `nullif(found[${at + 1}], '') AS "${column}"`);
  return `SELECT position, text,
      coalesce(problem, CASE WHEN found IS NULL THEN 'it is not a JSON object' END) AS problem,
      ${list.join(", ")}
    FROM (SELECT position, problem, text,
      CASE WHEN problem IS NULL AND json_valid(text) AND json_type(text) = 'OBJECT'
        THEN json_extract_string(text, [${paths}]) END AS found FROM file_lines)`;
}
