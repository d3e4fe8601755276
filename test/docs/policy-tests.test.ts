import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { blockReasons, verbs } from "#model/plan.ts";
import { policyTestSchema } from "#policies/testing/policy-test-schema.ts";
import { failuresOf, runFiles } from "../engine/policy-tests/test-folder.ts";
import { codeBlocks } from "./code-blocks.ts";

const page = await readFile(new URL("../../docs/policy-tests.md", import.meta.url), "utf8");
const files = Object.fromEntries(
  codeBlocks(page).flatMap(({ file, text }) => (file === undefined ? [] : [[file, text]])),
);

test("the tests of the page pass and cover every clause of its policy", async () => {
  const report = await runFiles(files);
  expect([failuresOf(report), report.diagnostics]).toEqual([{}, []]);
  expect(report.cases.length).toBe(6);
  expect(report.coverage).toMatchObject({ outcomes: 8, seen: 8 });
});

test("the failure on the page is what that mistake gives", async () => {
  const broken = Object.entries(files).map(([name, text]) => [
    name,
    text.replace("idle: 45d", "idle: 12d"),
  ]);
  const report = await runFiles(Object.fromEntries(broken) as Record<string, string>);
  const [failed] = report.cases.filter(({ failures }) => failures.length > 0);
  const { message, why } = failed?.failures[0] ?? {};
  expect(page).toContain(`${failed?.suite} › ${failed?.name}\n    ${message}\n`);
  const shown = why?.filter((one) => one.includes("idle") || one.includes("does not match")) ?? [];
  expect(shown).toHaveLength(2);
  for (const one of shown) expect(page).toContain(one);
});

test("the page names every action and every thing that can be supposed", () => {
  for (const verb of verbs) expect(page).toContain(`\`${verb}\``);
  expect(blockReasons).toContain("held");
  const object = policyTestSchema.shape.objects.unwrap().element.shape;
  for (const key of Object.keys(object).filter((one) => one !== "name")) {
    expect(page).toMatch(new RegExp(`\`${key}[\`:]`));
  }
});
