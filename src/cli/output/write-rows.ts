import type { CommandIo } from "#cli/command-io.ts";
import { csvCell } from "#cli/output/csv-cell.ts";
import { toJsonText } from "#cli/output/json.ts";

/** The forms in which rows go to standard output. */
export const rowOutputs = ["text", "json", "ndjson", "csv"] as const;
export type RowOutput = (typeof rowOutputs)[number];

/** How rows of one kind are written. */
export interface RowForm<Row> {
  /** What a JSON document says before its rows. */
  readonly head?: Readonly<Record<string, unknown>>;
  /** The key of the rows in a JSON document. */
  readonly key: string;
  /** The columns of a CSV file, and what a row has in each. */
  readonly columns: readonly string[];
  readonly cell: (row: Row, column: string) => unknown;
  /** For people: a table with its titles in the first line. */
  readonly table: (rows: readonly Row[]) => string;
}

/** How a form of output begins, writes a piece and ends. */
interface Writer<Row> {
  readonly begin: string;
  piece(rows: readonly Row[], isFirst: boolean): string;
  readonly end: string;
}

/** Writes rows while they arrive; says how many. A long answer is never held in memory. */
export async function writeRows<Row>(
  pieces: AsyncIterable<readonly Row[]>,
  form: RowForm<Row>,
  output: RowOutput,
  io: CommandIo,
): Promise<number> {
  const writer = writers[output](form);
  let written = 0;
  let begun = false;
  for await (const rows of pieces) {
    // Only now: what is refused as a whole leaves no half document behind.
    if (!begun) io.stdout.write(writer.begin);
    begun = true;
    if (rows.length > 0) io.stdout.write(writer.piece(rows, written === 0));
    written += rows.length;
    await io.stdout.drain();
    if (io.signal.aborted) break;
  }
  io.stdout.write(begun ? writer.end : writer.begin + writer.end);
  return written;
}

const writers = {
  text: ({ table }) => ({
    begin: "",
    // Each piece is a table of its own width; the titles stand above the first.
    piece: (rows, isFirst) => {
      const text = table(rows);
      return isFirst ? text : text.slice(text.indexOf("\n") + 1);
    },
    end: "",
  }),
  json: ({ head, key }) => ({
    begin: `${toJsonText({ schemaVersion: 1, ...head }).slice(0, -1)},${JSON.stringify(key)}:[`,
    piece: (rows, isFirst) =>
      rows.map((row, at) => `${isFirst && at === 0 ? "" : ","}\n${toJsonText(row)}`).join(""),
    end: "\n]}\n",
  }),
  ndjson: () => ({
    begin: "",
    piece: (rows) => rows.map((row) => `${toJsonText(row)}\n`).join(""),
    end: "",
  }),
  csv: ({ columns, cell }) => ({
    begin: `${columns.map(csvCell).join(",")}\r\n`,
    piece: (rows) =>
      rows
        .map((row) => `${columns.map((column) => csvCell(cell(row, column))).join(",")}\r\n`)
        .join(""),
    end: "",
  }),
} satisfies Record<RowOutput, <Row>(form: RowForm<Row>) => Writer<Row>>;
