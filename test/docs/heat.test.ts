import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { accessLogFormats } from "#model/access-log.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { textOf } from "#policies/expression/span.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "../policies/demo-backends.ts";
import { codeBlocks } from "./code-blocks.ts";

const page = await readFile(new URL("../../docs/heat.md", import.meta.url), "utf8");
const text = codeBlocks(page).find(({ language }) => language === "yaml")?.text ?? "";
const registry = await loadAttributes();

test("the policy of the page is without any finding, and its dwell is a clause of its rules", () => {
  const { policies, diagnostics } = parsePolicies([{ file: "tiers.yaml", text }], { registry });
  expect(diagnostics).toEqual([]);
  const compiled = compilePolicies(policies, demoMoment);
  expect(compiled.diagnostics).toEqual([]);
  const clauses = compiled.set.rules.map(({ expression }) =>
    expression.kind === "logical" ? expression.operands.map(({ span }) => textOf(span)) : [],
  );
  const rested = "missing(moved) or moved <= now - 7d";
  expect(clauses).toEqual([
    ["heat < 0.5", rested],
    ["heat >= 2", rested],
  ]);
});

test("a dwell that is no duration is one finding, at its place", () => {
  const wrong = text.replace("dwell: 7d", "dwell: 7 moons");
  const { diagnostics } = parsePolicies([{ file: "tiers.yaml", text: wrong }], { registry });
  expect(diagnostics).toMatchObject([{ severity: "error", range: { start: { line: 7 } } }]);
});

test("the page names every format of access logs", () => {
  const named = [...page.matchAll(/^\| `(\w+)` \| /gm)].map(([, name]) => name);
  expect(named).toEqual(expect.arrayContaining([...accessLogFormats, "auto"]));
});
