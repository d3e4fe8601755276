import { expect, test } from "vitest";
import type { PolicyTestReport } from "#model/policy-test-report.ts";
import { policyText, runFiles, runTests, testText } from "./test-folder.ts";

const cool = `  - {name: cool, where: idle > 30d, demote: {from: tier = hot, to: tier = cold}}\n`;

function found({ diagnostics }: PolicyTestReport): readonly string[] {
  return diagnostics.map(
    ({ file, range: { start }, code, message, hint }) =>
      `${file.replace(/\..*/, "")}:${start.line}:${start.column} ${code} ${message}; ${hint}`,
  );
}

test("names that stand for nothing are all reported at once, each with its place and the nearest name", async () => {
  const report = await runTests(
    cool,
    `  - name: a
    given: [flim, {name: x, copies: [hott, {on: clod}]}]
    backends: {wram: {cordoned: true}, hot: {driver: locla}}
    expect:
      - {object: y, action: demote, from: hto, to: codl}
`,
    "objects: [{name: film, copies: [hot]}]\n",
  );
  expect(found(report)).toEqual([
    't:12:13 E0180 there is no object "flim"; did you mean "film"?',
    't:12:38 E0180 there is no backend "hott"; did you mean "hot"?',
    't:12:44 E0180 there is no backend "clod"; did you mean "cold"?',
    't:15:18 E0180 there is no object "y"; objects: x',
    't:15:43 E0180 there is no backend "hto"; did you mean "hot"?',
    't:15:52 E0180 there is no backend "codl"; did you mean "cold"?',
    't:13:16 E0180 there is no backend "wram"; did you mean "warm"?',
    't:13:54 E0180 there is no driver "locla"; did you mean "local"?',
  ]);
  expect(report.cases).toEqual([]);
});

test("a rule, a policy file and a variable that do not exist are reported in the test file", async () => {
  const one = "  - {name: a, expect: [{object: film, action: demote, rule: col}]}\n";
  const objects = "objects: [{name: film, idle: 45d, copies: [hot]}]\n";
  expect(found(await runTests(cool, one, objects))).toEqual([
    't:11:61 E0180 there is no rule "col"; did you mean "cool"?',
  ]);
  const off = cool.replace("where:", "enabled: false, where:").replace("name: cool", "name: col");
  expect(found(await runTests(cool + off, one, objects))).toEqual([
    't:11:61 E0180 rule "col" does nothing: it is switched off; remove `enabled: false`, or what the test says of it',
  ]);
  const two = "  - {name: a, vars: {limt: 3d}, expect: nothing}\n";
  expect(found(await runTests(cool, two, objects))).toEqual([
    't:11:22 E0163 no policy has a variable "limt"; there are no variables',
  ]);
  const report = await runFiles({
    "t.thermocline-test.yaml": testText("  - {name: a, expect: nothing}\n"),
  });
  expect(found(report)).toMatchObject([
    expect.stringMatching(/^t:4:12 E0180 .*there is no such file/),
  ]);
});

test("a policy that does not compile for the supposed backends is reported at its place", async () => {
  const rule = `  - {name: cool, where: idle > 30d, demote: {from: tier = hot, to: backend = "s3"}}\n`;
  const report = await runTests(rule, "  - {name: a, expect: nothing}\n");
  expect(found(report)).toEqual([
    'p:5:78 E0305 there is no backend "s3"; configured backends: hot, warm, cold',
  ]);
  const broken = await runFiles({
    "p.thermocline.yaml": policyText("  - {name: cool, where: idel > 30d, hold: true}\n"),
    "t.thermocline-test.yaml": testText("  - {name: a, expect: nothing}\n"),
  });
  expect(found(broken)).toEqual(['p:5:25 E0201 unknown name "idel"; did you mean "idle"?']);
});

test.for([
  ["{name: x, idle: 3d, reads: [{ago: 2d}]}", "", "10:39 E0181"],
  ["{name: x}, {name: x}", "", "10:41 E0182"],
  ["{name: x}", "{object: x}", "10:44 E0181"],
  ["{name: x}", "{object: x, action: none, to: hot}", "10:64 E0181"],
  ["{name: x}", "{object: x, action: evict, blocked: held}", "10:80 E0181"],
  ["{name: x}", "{object: x, action: evcit}", "10:64 E0106"],
  ["{name: x, copeis: [hot]}", "", "10:33 E0102"],
] as const)("given %s and expecting [%s] is %s", async ([given, expected, place]) => {
  const text = `  - {name: a, given: [${given}], expect: [${expected}]}\n`;
  const { diagnostics } = await runTests(cool, text);
  expect(
    diagnostics.map(({ range: { start }, code }) => `${start.line}:${start.column} ${code}`),
  ).toEqual([place]);
});
