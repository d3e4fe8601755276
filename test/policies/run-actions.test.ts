import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { runActions } from "#model/run-order.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { runActionDefinitions } from "#policies/run-actions/run-actions.ts";
import { rule } from "./seeded-verb-mistakes.ts";

const registry = await loadAttributes();

function findingsOf(body: string): readonly string[] {
  const { diagnostics } = parsePolicies([{ file: "p.yaml", text: rule(body) }], { registry });
  return diagnostics.map(({ range, code, message, hint }) => {
    const { line, column } = range.start;
    return `${line}:${column} ${code} ${message}${hint === undefined ? "" : ` | ${hint}`}`;
  });
}

test.for(runActionDefinitions)("the example of $name is a rule", ({ example }) => {
  expect(findingsOf(`where: true\n    ${example}`)).toEqual([]);
});

test("every file of an action is listed, and every action of plans has one", async () => {
  const folder = new URL("../../src/policies/run-actions/", import.meta.url);
  const shared = ["every-field.ts", "run-action.ts", "run-actions.ts"];
  const files = (await readdir(folder)).filter((file) => !shared.includes(file));
  const names = runActionDefinitions.map(({ name }) => name);
  expect(names.map((name) => `${name}.ts`).toSorted()).toEqual(files.toSorted());
  expect(names.toSorted()).toEqual([...runActions].toSorted());
});

test.for([
  ["run: {verfy: {}}", "6:11 E0102"],
  ["run: {}", "6:5 E0161 run: does not say which action | add one of verify, tag"],
  [
    "run: {verify: {}, tag: {add: a}}",
    "6:23 E0161 run: names verify and tag | use a rule for each",
  ],
  ["run: {verify: {on: tier = hto}}", "6:31 E0207"],
  ["run: {verify: {every: 0d}}", "6:27 E0106 every: is a time longer than none"],
  ["run: {tag: {}}", "6:16 E0106 a tag action says what to change | write add:"],
  ["run: {tag: {add: a, remove: [b, a]}}", "6:16 E0106 the same tag cannot come and go"],
  ["run: {export-car: {}}", "6:11 E0104"],
  ["run: {export-car: {to: ../elsewhere}}", "6:28 E0106"],
  ["run: {tag: {add: k=1, set: {k: 2}}}", "6:16 E0106"],
  ["group: collection\n    run: {tag: {add: a}}", "6:5 E0171 run acts on each object by itself"],
] as const)("%s is refused with its place", ([body, finding]) => {
  const [found = ""] = findingsOf(`where: true\n    ${body}`).map((text) =>
    text.replace(/^(\d+)/, (line) => String(Number(line) - 1)),
  );
  expect(found.slice(0, finding.length)).toBe(finding);
});
