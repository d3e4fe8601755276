import { expect, test } from "vitest";
import { failuresOf, policyText, runFiles, testText } from "./test-folder.ts";

test("tests suppose copies that their backend locks, for a time or under a legal hold", async () => {
  const report = await runFiles({
    "p.thermocline.yaml": policyText("  - {name: out, where: true, evict: {from: tier = cold}}\n"),
    "t.thermocline-test.yaml": testText(
      `  - name: while they are locked
    expect: [{object: [retained, held], blocked: locked}, {object: free, action: evict}]
  - name: when its time is over
    now: 2026-02-01
    given: [{name: over, copies: [hot, {on: cold, locked: 0s}]}]
    expect: [{object: over, action: evict}]
  - name: wrong
    given: [held]
    expect: [{object: held, action: evict}]
`,
      `objects:
  - {name: retained, copies: [hot, {on: cold, locked: 30d}]}
  - {name: held, copies: [hot, {on: cold, locked: legal-hold}]}
  - {name: free, copies: [{on: hot, locked: 30d}, cold]}
`,
    ),
  });
  expect(report.diagnostics).toEqual([]);
  expect(Object.keys(failuresOf(report))).toEqual(["wrong"]);
  expect(JSON.stringify(report.cases)).toContain("the backend lets nobody remove the copy");
});
