import { beforeAll, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const blanks = " ".repeat(200_000);
const letters = "a".repeat(200_000);
const rule = (text: string) =>
  `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
rules:
  - {name: r, where: size > 0, evict: {from: tier = hot}, ${text}}
`;

const ordered = rule(`order: ["heat${blanks}asc"]`);

/** Read in time that grows with the square of the length, each of these would take minutes. */
test.for([
  ["an order with many blanks before a word", rule(`order: ["heat${blanks}asc x"]`)],
  ["an order with many blanks before its direction", ordered],
  ["many blanks where a word is missing", rule(`unless: "size >${blanks}"`)],
  ["a very long word before a mistake", rule(`unless: "${letters} ) size"`)],
  ["a cost limit with many blanks", rule(`limits: {cost: "5${blanks}USD x"}`)],
  ["a size with many blanks", rule(`limits: {bytes: "5${blanks}x"}`)],
  ["a mark with many blanks", rule(`until: "80${blanks}x"`)],
  ["a rate with many blanks", rule(`limits: {rate: "5${blanks}/${blanks}x"}`)],
] as const)("%s is read at once", ([, text]) => {
  const before = process.cpuUsage();
  const { diagnostics } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const { user } = process.cpuUsage(before);
  expect(user / 1_000).toBeLessThan(5_000);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.length).toBe(text === ordered ? 0 : 1);
});
