import { moneyText } from "#model/money.ts";
import { formatSize } from "#model/quantity.ts";
import type { Report, ReportRow, ReportUnit, ReportValues } from "#model/report.ts";
import { barChart } from "#cli/output/bar-chart.ts";
import { textTable } from "#cli/output/text-table.ts";
import { count } from "#cli/output/words.ts";
import type { RowForm } from "#cli/output/write-rows.ts";

/** A report as a table with its sums in the last line. */
export function formatReport(report: Report): string {
  const { by, columns, rows, totals } = report;
  const cells = (values: ReportValues) =>
    columns.map(({ name, unit }) => valueText(values[name] ?? 0, unit));
  return textTable(
    [{ title: by }, ...columns.map(({ name }) => ({ title: name, right: true }))],
    [
      ...rows.map((row) => [groupName(row), ...cells(row.values)]),
      ["all together", ...cells(totals)],
    ],
  );
}

/** How the budgets of the policies stand; empty where there is none. */
export function formatBudgets({ budgets = [] }: Report): string {
  if (budgets.length === 0) return "";
  const amount = { right: true };
  return `\n${textTable(
    [
      { title: "budget of" },
      ...["usd", "settled", "reserved", "left"].map((title) => ({ title, ...amount })),
      { title: "in this" },
    ],
    budgets.map(({ of, usd, settled, reserved, left, per }) => [
      of,
      ...[usd, settled, reserved, left].map(moneyText),
      per,
    ]),
  )}`;
}

/** The groups as bars; `column` is the one to show, else those that the report is about. */
export function formatChart(
  { columns, rows }: Report,
  column: string | undefined,
  terminalColumns: number,
): string {
  const shown = columns.filter(({ name, charted }) =>
    column === undefined ? charted : name === column,
  );
  const names = shown.map(({ name }) => name);
  const bars = rows.map((row) => {
    const parts = names.map((name) => Math.max(0, row.values[name] ?? 0));
    const total = parts.reduce((sum, value) => sum + value, 0);
    return { label: groupName(row), parts, text: valueText(total, shown[0]?.unit ?? "count") };
  });
  return `${names.join(", ")}\n${barChart(bars, names, terminalColumns)}`;
}

/** How the rows of a report are written for programs: the group under the grouping's name. */
export function reportForm({ rows, ...report }: Report): RowForm<Record<string, unknown>> {
  const { by, columns } = report;
  return {
    head: { ...report },
    key: "rows",
    columns: [by, ...columns.map(({ name }) => name)],
    cell: (row, column) => row[column],
    table: () => formatReport({ ...report, rows }),
  };
}

/** A row of a report as one flat record. */
export function flatRow({ by }: Report, { group, values }: ReportRow): Record<string, unknown> {
  return { [by]: group ?? null, ...values };
}

function groupName({ group }: ReportRow): string {
  return group ?? "(none)";
}

function valueText(value: number, unit: ReportUnit): string {
  if (unit === "bytes") return formatSize(value);
  if (unit === "usd") return moneyText(value);
  return unit === "heat" ? value.toFixed(2) : count(value);
}
