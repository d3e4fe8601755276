import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { barChart } from "#cli/output/bar-chart.ts";
import type { Report, ReportExportRequest, ReportRequest } from "#model/report.ts";
import { sampleReport } from "../api/sample-report.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
let asked: ReportRequest[];
beforeEach(async () => {
  line = await CommandLine.open();
  asked = [];
});
afterEach(() => line[Symbol.asyncDispose]());

function report(request: ReportRequest): Promise<Report> {
  asked.push(request);
  return Promise.resolve(sampleReport);
}

async function show(...argv: string[]): Promise<string> {
  const { code, stdout } = await line.run(["report", ...argv], { api: { report } });
  expect(code).toBe(0);
  return stdout;
}

test("a report is a table with its sums, and asks for what was typed", async () => {
  const text = await show("usage", "--by", "owner", "--where", "held", "--limit", "2");
  expect(asked).toEqual([{ report: "usage", by: "owner", where: "held", limit: 2 }]);
  expect(text.split("\n")).toEqual([
    "OWNER         OBJECTS     BYTES",
    "grâce           1,200  3.00 KiB",
    "(none)              1       0 B",
    "all together    1,300  4.00 KiB",
    "",
    "BUDGET OF       USD  SETTLED  RESERVED  LEFT  IN THIS",
    "policy grâce  50.00    48.20      1.10  0.70  month",
    "",
  ]);
  const { stderr } = await line.run(["report", "usage", "--limit", "2"], { api: { report } });
  expect(stderr).toContain("the first 2 of 3 groups; the sums count all");
});

test("every report has its command; without a word it is usage by tier", async () => {
  for (const name of ["usage", "heat", "copies", "cost", "age"]) await show(name);
  await show();
  expect(asked.map(({ report, by }) => `${report} ${by}`)).toEqual([
    "usage tier",
    "heat tier",
    "copies tier",
    "cost tier",
    "age tier",
    "usage tier",
  ]);
  const wrong = await line.run(["report", "usage", "--by", "colour"], { api: { report } });
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("tier, backend, region, owner, collection, type");
});

test("programs get the columns with their meanings, one record a group, and the sums", async () => {
  const { rows: _, ...head } = sampleReport;
  expect(JSON.parse(await show("usage", "-o", "json"))).toEqual({
    schemaVersion: 1,
    ...head,
    rows: [
      { owner: "grâce", objects: 1_200, bytes: 3_072 },
      { owner: null, objects: 1, bytes: 0 },
    ],
  });
  expect(await show("usage", "-o", "csv")).toBe(
    "owner,objects,bytes\r\ngrâce,1200,3072\r\n,1,0\r\n",
  );
  expect(await show("usage", "-o", "ndjson")).toBe(
    '{"owner":"grâce","objects":1200,"bytes":3072}\n{"owner":null,"objects":1,"bytes":0}\n',
  );
});

test("a chart shows what the report is about, or the column that was named", async () => {
  expect(await show("usage", "--chart")).toContain(`
bytes
grâce   ${"█".repeat(60)}  3.00 KiB
(none)  0 B
`);
  const objects = await show("usage", "--chart", "objects");
  expect(objects).toContain(`
objects
grâce   ${"█".repeat(60)}  1,200
(none)  ▏  1
`);
  const wrong = await line.run(["report", "usage", "--chart", "byte"], { api: { report } });
  expect(wrong.code).toBe(64);
  expect(wrong.stderr).toContain("its columns are objects, bytes");
  expect(await show("usage", "--no-chart")).not.toContain("█");
});

test("bars of several parts share one scale, never outgrow it, and have a legend", () => {
  const bars = [
    { label: "a", parts: [1, 1, 1], text: "3" },
    { label: "long", parts: [0, 10, 20], text: "30" },
    { label: "none", parts: [0, 0, 0], text: "0" },
  ];
  expect(barChart(bars, ["new", "older", "oldest"], 40).split("\n")).toEqual([
    `a     █▓▒  3`,
    `long  ${"▓".repeat(10)}${"▒".repeat(20)}  30`,
    "none  0",
    "      █ new  ▓ older  ▒ oldest",
    "",
  ]);
});

test("an output that names a file is written by the engine, with all groups", async () => {
  const requests: ReportExportRequest[] = [];
  const exportReport = (request: ReportExportRequest) => {
    requests.push(request);
    return Promise.resolve({ file: request.file, rows: 12, bytes: 2_048 });
  };
  const argv = ["report", "cost", "--by", "collection", "-o", "cost.parquet"];
  const { code, stdout } = await line.run(argv, { api: { exportReport } });
  const file = join(line.cwd, "cost.parquet");
  expect([code, stdout]).toEqual([0, `12 rows, 2.00 KiB, in ${file}\n`]);
  expect(requests).toEqual([{ report: "cost", by: "collection", file }]);
});
