import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
  await mkdir(join(line.cwd, "tests"));
  await writeFile(join(line.cwd, "p.thermocline.yaml"), policy);
});
afterEach(() => line[Symbol.asyncDispose]());

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
rules:
  - {name: cool, where: idle > 30d and size < 1TiB, demote: {from: tier = hot, to: tier = cold}}
`;

async function write(tests: string): Promise<void> {
  const text = `apiVersion: thermocline/v1
kind: PolicyTest
metadata: {name: t}
policies: ../p.thermocline.yaml
backends: [{name: hot, tier: hot}, {name: cold, tier: cold}]
objects: [{name: film, idle: 45d, copies: [hot]}, {name: fresh, idle: 3d, copies: [hot]}]
tests:
${tests}`;
  await writeFile(join(line.cwd, "tests", "t.thermocline-test.yaml"), text);
}

const right = `  - name: cools & "keeps"
    expect: [{object: film, action: demote, from: hot, to: cold}]
`;
const wrong = `  - name: keeps <all>
    given: [film]
    expect: nothing
`;

it("needs no configuration: what passes is counted, and what was never tried is named", async () => {
  await write(right);
  const outcome = await line.run(["test"]);
  expect(outcome).toEqual({
    code: 0,
    stdout: `1 test passed
clauses seen true and false: 3 of 4 (75.0 %)
  never false: size < 1TiB  (p/cool, p.thermocline.yaml:5:5)
`,
    stderr: "",
  });
});

it("exits with 1 for a failure, with the place and the reason in words", async () => {
  await write(right + wrong);
  const { code, stdout } = await line.run(["test", "tests"]);
  expect(code).toBe(1);
  expect(stdout).toContain(`✗ tests/t.thermocline-test.yaml:10:11: t › keeps <all>
    unexpected: demote film from hot to cold by p/cool
      the plan: demote: copy from hot to cold, then remove the copy on hot (p/cool)
`);
  expect(stdout).toContain("1 test passed, 1 failed\n");
});

it("exits with 1 when fewer clauses are covered than are asked for, and says so", async () => {
  await write(right);
  expect((await line.run(["test", "--coverage-min", "75"])).code).toBe(0);
  const { code, stderr } = await line.run(["test", "--coverage-min", "75.5%"]);
  expect([code, stderr]).toEqual([
    1,
    "error: 75.0 % of the clauses are covered, 75.5 % are asked for (--coverage-min)\n",
  ]);
  expect((await line.run(["test", "--coverage-min", "most"])).code).toBe(64);
});

it("exits with 1 and a caret for a mistake in a test", async () => {
  await write(right.replace("to: cold", "to: colb"));
  const { code, stdout } = await line.run(["test"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^tests\/t.thermocline-test.yaml:9:60: error: there is no backend "colb" \[E0180\]\n9 \|/,
  );
  expect(stdout).toContain('hint: did you mean "cold"?');
});

it("says when there is no test at all", async () => {
  const { code, stderr } = await line.run(["test"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("there is no test below this directory");
});

it("speaks to programs as one JSON document", async () => {
  await write(right + wrong);
  const { code, stdout } = await line.run(["test", "-o", "json"]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    schemaVersion: 1,
    passed: 1,
    failed: 1,
    errors: 0,
    cases: [
      { suite: "t", passed: true, failures: [] },
      {
        file: "tests/t.thermocline-test.yaml",
        line: 10,
        col: 11,
        failures: [{ kind: "unexpected", object: "film" }],
      },
    ],
    coverage: { percent: 75, outcomes: 4, seen: 3 },
  });
});

it("speaks to GitHub, one annotation for each failure", async () => {
  await write(right + wrong);
  const { stdout } = await line.run(["test", "-o", "github"]);
  expect(stdout).toMatch(
    /^::error file=tests\/t.thermocline-test.yaml,line=10,.*::t › keeps <all>: unexpected: demote film .*%0Athe plan: .*\n$/,
  );
});

it("speaks SARIF: each failure at its place, and what is wrong in files", async () => {
  await write(right + wrong);
  const { code, stdout } = await line.run(["test", "-o", "sarif"]);
  const report = JSON.parse(stdout) as {
    readonly runs: readonly { results: unknown; tool: { driver: { rules: unknown } } }[];
  };
  expect(code).toBe(1);
  expect(report.runs[0]?.results).toEqual([
    {
      ruleId: "policy test",
      ruleIndex: 0,
      level: "error",
      message: {
        text: expect.stringMatching(
          /^t › keeps <all>: unexpected: demote film from hot to cold by p\/cool\n.*✓ idle > 30d/s,
        ),
      },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "tests/t.thermocline-test.yaml" },
            region: { startLine: 10, startColumn: 11, endLine: 10, endColumn: 22 },
          },
        },
      ],
    },
  ]);
  expect(report.runs[0]?.tool.driver.rules).toEqual([
    {
      id: "policy test",
      shortDescription: { text: expect.any(String) },
      help: { text: expect.any(String) },
    },
  ]);
});

it("speaks JUnit, with everything escaped", async () => {
  await write(right + wrong);
  const { stdout } = await line.run(["test", "-o", "junit"]);
  const file = 'file="tests/t.thermocline-test.yaml"';
  expect(stdout.split("\n").slice(0, 6)).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="thermocline" tests="2" failures="1" errors="0" skipped="0">',
    '  <testsuite name="t" tests="2" failures="1" errors="0" skipped="0">',
    `    <testcase classname="t" name="cools &amp; &quot;keeps&quot;" ${file} line="8" />`,
    `    <testcase classname="t" name="keeps &lt;all&gt;" ${file} line="10">`,
    '      <failure message="unexpected: demote film from hot to cold by p/cool">unexpected: demote film from hot to cold by p/cool',
  ]);
  expect(stdout).toContain("✓ idle &gt; 30d");
  expect(stdout.trimEnd()).toMatch(
    /<\/failure>\n {4}<\/testcase>\n {2}<\/testsuite>\n<\/testsuites>$/,
  );
});

it("tests the policy that init writes, all clauses of it, and passes", async () => {
  await line.run(["init", "fresh"]);
  const { code, stdout } = await line.run(["test", "fresh", "--coverage-min", "100"]);
  expect([code, stdout]).toEqual([
    0,
    "4 tests passed\nclauses seen true and false: 6 of 6 (100.0 %)\n",
  ]);
});

it("takes values of variables for all tests but those that set them, and refuses unknown ones", async () => {
  const limit = "vars: {limit: {type: duration, default: 30d}}\nrules:";
  const text = policy.replace("rules:", limit).replace("30d and size < 1TiB", "$limit");
  await writeFile(join(line.cwd, "p.thermocline.yaml"), text);
  const own = right.replace("    expect", "    vars: {limit: 30d}\n    expect");
  await write(right + own.replace("cools", "cools whatever is asked"));
  expect((await line.run(["test"])).code).toBe(0);
  const stricter = await line.run(["test", "--var", "limit=60d"]);
  expect(stricter.code).toBe(1);
  expect(stricter.stdout).toContain("missing: demote film");
  expect(stricter.stdout).not.toContain("whatever is asked");
  expect((await line.run(["test", "--var", "limit=40d"])).code).toBe(0);
  const unknown = await line.run(["test", "--var", "limt=40d"]);
  expect(unknown.code).toBe(1);
  expect(unknown.stdout).toContain('no policy has a variable "limt" [E0163]');
  expect((await line.run(["test", "--var", "limit"])).stderr).toContain("Say name=value");
});

it("follows what a policy includes, and reports what is wrong there at its own place", async () => {
  const text = policy
    .replace("rules:", "include: [shared/words.yaml]\nrules:")
    .replace("idle > 30d and size < 1TiB", "class idle_long");
  await writeFile(join(line.cwd, "p.thermocline.yaml"), text);
  await mkdir(join(line.cwd, "shared"));
  const words = async (condition: string) => {
    const body = `apiVersion: thermocline/v1\nkind: Definitions\nclasses:\n  idle_long: ${condition}\n`;
    await writeFile(join(line.cwd, "shared", "words.yaml"), body);
  };
  await write(right);
  await words("idle > 30d");
  const passed = await line.run(["test"]);
  expect([passed.code, passed.stdout]).toEqual([0, expect.stringMatching(/^1 test passed\n/)]);
  await words("idle > 30GiB");
  const { code, stdout } = await line.run(["test"]);
  expect([code, stdout]).toEqual([1, expect.stringContaining("shared/words.yaml:4:21: error: ")]);
});
