import type { QueryChunk } from "#model/engine-api.ts";
import { defineCommand } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { toJsonText } from "#cli/output/json.ts";
import { textTable } from "#cli/output/text-table.ts";

export default defineCommand({
  name: "index-query",
  words: ["index", "query"],
  summary: "ask the index with SQL, read-only; views: object, copy, name, …",
  examples: [`thermocline index query "SELECT count(*), sum(size) FROM object"`],
  setup: (command) => command.argument("<sql>", "one SELECT statement"),
  async run(context, [sql]) {
    const { api } = await context.connect();
    const chunks = api.query(sql);
    if (context.output === "json") await writeJson(chunks, context.io);
    else await writeText(chunks, context.io);
    return context.io.signal.aborted ? 130 : 0;
  },
});

/** One JSON document, written while the rows arrive. */
async function writeJson(chunks: AsyncIterable<QueryChunk>, io: CommandIo): Promise<void> {
  let columns: readonly string[] | undefined;
  let separator = "";
  for await (const chunk of chunks) {
    if (columns === undefined) {
      ({ columns } = chunk);
      io.stdout.write(`{"schemaVersion":1,"columns":${JSON.stringify(columns)},"rows":[`);
    }
    for (const row of chunk.rows) {
      io.stdout.write(`${separator}\n${toJsonText(row)}`);
      separator = ",";
    }
    await io.stdout.drain();
    if (io.signal.aborted) break;
  }
  if (columns === undefined) io.stdout.write('{"schemaVersion":1,"columns":[],"rows":[');
  io.stdout.write("\n]}\n");
}

/** Each chunk is a table of its own width: a huge result is never held in memory. */
async function writeText(chunks: AsyncIterable<QueryChunk>, io: CommandIo): Promise<void> {
  let isFirst = true;
  for await (const { columns, rows } of chunks) {
    const titles = columns.map((title) => ({ title }));
    const cells = rows.map((row) => columns.map((column) => cellText(row[column])));
    const table = textTable(titles, cells);
    io.stdout.write(isFirst ? table : table.slice(table.indexOf("\n") + 1));
    isFirst = false;
    await io.stdout.drain();
    if (io.signal.aborted) break;
  }
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return toJsonText(value).replaceAll(/^"|"$/g, "");
}
