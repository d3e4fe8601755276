import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { reportMeasures } from "#engine/reports/report-measures.ts";
import { reportGroupings, reportNames } from "#model/report.ts";
import { rowOutputs } from "#cli/output/write-rows.ts";

const page = await readFile(new URL("../../docs/reports.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| `\w/.test(line))
  .map((line) => line.slice(2, -2).split(" | "));

function code(name: string): string {
  return `\`${name}\``;
}

test("the page explains every form, grouping and column as the code does", () => {
  expect(rows.slice(0, rowOutputs.length).map(([form]) => form)).toEqual(rowOutputs.map(code));
  const columns = reportNames.flatMap((report) => reportMeasures[report]);
  expect(rows.slice(rowOutputs.length)).toEqual([
    ...Object.entries(reportGroupings).map(([name, meaning]) => [code(name), meaning]),
    ...columns.map(({ name, unit, meaning }) => [code(name), unit, meaning]),
  ]);
});
