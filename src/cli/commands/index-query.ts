import { resolve } from "node:path";
import type { CommandIo } from "#cli/command-io.ts";
import type { QueryChunk } from "#model/query-api.ts";
import type { SqlRow } from "#model/sql.ts";
import { atOption, connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { defineCommand } from "#cli/command.ts";
import { toJsonText } from "#cli/output/json.ts";
import { textTable } from "#cli/output/text-table.ts";
import { type RowForm, writeRows } from "#cli/output/write-rows.ts";
import { counted } from "#cli/output/words.ts";
import { arrowOutput, isRowOutput, rowOutputOption } from "#cli/row-output.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "index-query",
  words: ["index", "query"],
  summary: "ask the index with SQL, read-only; views: object, copy, name, …",
  examples: [
    `thermocline index query "SELECT count(*), sum(size) FROM object"`,
    `thermocline index query "SELECT count(*) FROM object" --at 2026-12-24`,
    `thermocline index query "FROM object ORDER BY size" -o sizes.parquet`,
  ],
  setup: (command) =>
    command
      .argument("<sql>", "one SELECT statement")
      .addOption(snapshotOption())
      .addOption(atOption())
      .addOption(fromOption())
      .addOption(rowOutputOption([arrowOutput])),
  async run(context, [sql], { output, ...words }) {
    const { api, asOf } = await connectAsOf(context, words);
    if (output === arrowOutput) return await writeArrow(api.queryArrow(sql, asOf), context.io);
    if (!isRowOutput(output)) {
      const file = resolve(context.io.cwd, output);
      const written = await api.exportQuery({ ...asOf, text: sql, file });
      const { rows, bytes } = written;
      context.print(`${counted(rows, "row")}, ${formatSize(bytes)}, in ${file}\n`, { ...written });
      return 0;
    }
    const chunks = api.query(sql, asOf)[Symbol.asyncIterator]();
    const first = await chunks.next();
    const form = formOf(first.done === true ? [] : first.value.columns);
    await writeRows(rowsOf(first, chunks), form, output, context.io);
    return context.io.signal.aborted ? 130 : 0;
  },
});

/** Bytes as they come, for a program at the other end of a pipe. */
async function writeArrow(pieces: AsyncIterable<Uint8Array>, io: CommandIo): Promise<number> {
  for await (const piece of pieces) {
    io.stdout.write(piece);
    await io.stdout.drain();
    if (io.signal.aborted) return 130;
  }
  return 0;
}

/** The columns of an answer are known from its first piece on. */
async function* rowsOf(
  first: IteratorResult<QueryChunk>,
  rest: AsyncIterator<QueryChunk>,
): AsyncGenerator<readonly SqlRow[]> {
  try {
    for (let chunk = first; chunk.done !== true; chunk = await rest.next()) yield chunk.value.rows;
  } finally {
    await rest.return?.();
  }
}

function formOf(columns: readonly string[]): RowForm<SqlRow> {
  const titles = columns.map((title) => ({ title }));
  return {
    head: { columns },
    key: "rows",
    columns,
    cell: (row, column) => row[column],
    table: (rows) =>
      textTable(
        titles,
        rows.map((row) => columns.map((column) => cellText(row[column]))),
      ),
  };
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return toJsonText(value).replaceAll(/^"|"$/g, "");
}
