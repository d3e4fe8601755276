import type { QueryChunk } from "#model/engine-api.ts";
import type { SqlRow } from "#model/sql.ts";
import { atOption, connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { defineCommand } from "#cli/command.ts";
import { toJsonText } from "#cli/output/json.ts";
import { textTable } from "#cli/output/text-table.ts";
import { type RowForm, writeRows } from "#cli/output/write-rows.ts";
import { rowFormOption } from "#cli/row-output.ts";

export default defineCommand({
  name: "index-query",
  words: ["index", "query"],
  summary: "ask the index with SQL, read-only; views: object, copy, name, …",
  examples: [
    `thermocline index query "SELECT count(*), sum(size) FROM object"`,
    `thermocline index query "SELECT count(*) FROM object" --at 2026-12-24`,
  ],
  setup: (command) =>
    command
      .argument("<sql>", "one SELECT statement")
      .addOption(snapshotOption())
      .addOption(atOption())
      .addOption(fromOption())
      .addOption(rowFormOption()),
  async run(context, [sql], { output, ...words }) {
    const { api, asOf } = await connectAsOf(context, words);
    const chunks = api.query(sql, asOf)[Symbol.asyncIterator]();
    const first = await chunks.next();
    const form = formOf(first.done === true ? [] : first.value.columns);
    await writeRows(rowsOf(first, chunks), form, output, context.io);
    return context.io.signal.aborted ? 130 : 0;
  },
});

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
