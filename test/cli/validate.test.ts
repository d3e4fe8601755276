import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

const finding = {
  file: "policies/a.thermocline.yaml",
  range: { start: { line: 1, column: 1 }, end: { line: 1, column: 5 } },
  severity: "error",
  code: "E0102",
  message: "unknown key",
} as const;
const found: Partial<EngineApi> = {
  validate: () => Promise.resolve({ policies: 1, rules: 2, diagnostics: [finding] }),
};

it("says how much it checked when all is well", async () => {
  const report = Promise.resolve({ policies: 1, rules: 2, switchedOff: 1, diagnostics: [] });
  const outcome = await line.run(["validate"], { api: { validate: () => report } });
  expect([outcome.code, outcome.stdout]).toEqual([
    0,
    "1 policy, 2 rules, 1 switched off: no problems\n",
  ]);
});

it("exits with 1 on errors and 0 on warnings alone", async () => {
  expect((await line.run(["validate"], { api: found })).code).toBe(1);
  const warning = { ...finding, severity: "warning" } as const;
  const validate = () => Promise.resolve({ policies: 1, rules: 2, diagnostics: [warning] });
  expect((await line.run(["validate"], { api: { validate } })).code).toBe(0);
});

it("speaks to programs and to GitHub", async () => {
  const json = await line.run(["validate", "-o", "json"], { api: found });
  expect(JSON.parse(json.stdout)).toMatchObject({
    schemaVersion: 1,
    errors: 1,
    diagnostics: [{ range: { start: { line: 1, col: 1 } } }],
  });
  const github = await line.run(["validate", "-o", "github"], { api: found });
  expect(github.stdout).toMatch(/^::error file=policies\/a.thermocline.yaml,line=1,/);
});

it("writes SARIF 2.1.0, with what each code means and what to do", async () => {
  const { code, stdout } = await line.run(["validate", "-o", "sarif"], { api: found });
  expect(code).toBe(1);
  const report = JSON.parse(stdout) as Record<string, unknown>;
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  const meaning = { shortDescription: { text: expect.stringContaining("an unknown key") } };
  const rules = [{ id: "E0102", help: { text: "use a listed key" }, ...meaning }];
  const region = { startLine: 1, startColumn: 1, endLine: 1, endColumn: 5 };
  const artifactLocation = { uri: "policies/a.thermocline.yaml" };
  expect(report).toEqual({
    $schema: expect.stringContaining("sarif-schema-2.1.0"),
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "thermocline", semanticVersion: version, rules } },
        columnKind: "utf16CodeUnits",
        results: [
          {
            ruleId: "E0102",
            ruleIndex: 0,
            level: "error",
            message: { text: "unknown key" },
            locations: [{ physicalLocation: { artifactLocation, region } }],
          },
        ],
      },
    ],
  });
});

it("writes JUnit: a suite for each file, a failed case for each error", async () => {
  const { stdout } = await line.run(["validate", "-o", "junit"], { api: found });
  expect(stdout).toContain('<testsuite name="policies/a.thermocline.yaml" tests="1" failures="1"');
  expect(stdout).toContain('name="E0102 at 1:1: unknown key" file="policies/a.thermocline.yaml"');
  const all = await line.run(["validate", "-o", "yaml"], { api: found });
  expect([all.code, all.stderr]).toEqual([
    64,
    expect.stringContaining("text|json|github|sarif|junit"),
  ]);
});
