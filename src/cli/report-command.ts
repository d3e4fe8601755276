import { resolve } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import {
  type Report,
  type ReportGrouping,
  reportGroupings,
  type ReportName,
  type ReportRequest,
} from "#model/report.ts";
import { type AsOfWords, atOption, connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { type CommandContext, defineCommand } from "#cli/command.ts";
import {
  flatRow,
  formatBudgets,
  formatChart,
  formatReport,
  reportForm,
} from "#cli/output/format-report.ts";
import { counted } from "#cli/output/words.ts";
import { writeRows } from "#cli/output/write-rows.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { isRowOutput, rowOutputOption } from "#cli/row-output.ts";

const limitDefault = 50;
const groupings = Object.keys(reportGroupings) as ReportGrouping[];

interface ReportOptions extends AsOfWords {
  readonly by: ReportGrouping;
  readonly where?: string | undefined;
  readonly limit: number;
  readonly chart?: string | boolean | undefined;
  readonly output: string;
}

/** The command of one report. */
export function reportCommand(
  report: ReportName,
  summary: string,
  examples: readonly [string, ...string[]],
): ReturnType<typeof defineCommand> {
  return defineCommand({
    name: `report-${report}`,
    words: ["report", report],
    ...(report === "usage" ? { isDefault: true } : {}),
    summary,
    examples,
    setup: (command) =>
      command
        .addOption(
          new Option("--by <grouping>", "what a row is")
            .choices(groupings)
            .default("tier" as const),
        )
        .option("--where <expression>", "only these objects, in the language of policies")
        .option(
          "--limit <n>",
          "the first so many groups; a file has all",
          positiveInteger,
          limitDefault,
        )
        .option("--chart [column]", "bars below the table, of a column; on a terminal anyway")
        .option("--no-chart", "no bars")
        .addOption(snapshotOption())
        .addOption(atOption())
        .addOption(fromOption())
        .addOption(rowOutputOption()),
    run: (context, _args, options) => runReport(context, report, options),
  });
}

async function runReport(
  context: CommandContext,
  report: ReportName,
  { by, where, limit, chart, output, ...words }: ReportOptions,
): Promise<void> {
  const { io } = context;
  const { api, asOf } = await connectAsOf(context, words);
  const selection = where === undefined ? {} : { where };
  const request: ReportRequest = { report, by, ...selection, ...asOf };
  if (!isRowOutput(output)) {
    const { file, rows, bytes } = await api.exportReport({
      ...request,
      file: resolve(io.cwd, output),
    });
    io.stdout.write(`${counted(rows, "row")}, ${formatSize(bytes)}, in ${file}\n`);
    return;
  }
  const made = await api.report({ ...request, limit });
  if (output === "text") {
    io.stdout.write(`${formatReport(made)}${formatBudgets(made)}`);
    const column = chartedColumn(made, chart, io.stdout.isTTY);
    if (column !== undefined) {
      io.stdout.write(`\n${formatChart(made, column.name, io.stdout.columns)}`);
    }
  } else {
    const rows = made.rows.map((row) => flatRow(made, row));
    await writeRows(once(rows), reportForm(made), output, io);
  }
  if (made.rows.length < made.groups) {
    context.note(`the first ${limit} of ${counted(made.groups, "group")}; the sums count all`);
  }
}

/** Undefined for no chart; without a name the chart that belongs to the report. */
function chartedColumn(
  { columns }: Report,
  chart: string | boolean | undefined,
  isTerminal: boolean,
): { readonly name: string | undefined } | undefined {
  if (typeof chart !== "string") return (chart ?? isTerminal) ? { name: undefined } : undefined;
  const names = columns.map(({ name }) => name);
  if (names.includes(chart)) return { name: chart };
  throw new EngineError("USAGE", `the report has no column "${chart}"`, {
    hint: `its columns are ${names.join(", ")}`,
  });
}

async function* once<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield await Promise.resolve(rows);
}
