import { beforeAll, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "./demo-backends.ts";
import { seededMistakes } from "./seeded-mistakes.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

function errorsOf(text: string) {
  const parsed = parsePolicies([{ file: "p.thermocline.yaml", text }], { registry });
  const compiled = compilePolicies(parsed.policies, demoMoment);
  return [...parsed.diagnostics, ...compiled.diagnostics].filter(
    ({ severity }) => severity === "error",
  );
}

test.for(seededMistakes)(
  "$what is reported once, at its place, with a remedy",
  ({ text, at, message, hint }) => {
    const errors = errorsOf(text);
    expect(
      errors.map(({ range: { start }, code }) => `${start.line}:${start.column} ${code}`),
    ).toEqual([at]);
    expect(errors[0]?.file).toBe("p.thermocline.yaml");
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.hint).toContain(hint);
  },
);

test("all mistakes of a file are reported at once, those of structure beside those of expressions", () => {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
classes:
  big: size > 1Gib
rules:
  - name: a
    where: class bgi and idel > 3d
    demoet: {from: tier = hot, to: tier = cold}
  - name: b
    where: heat < 1d
    evict: {from: tier = hott}
`;
  const codes = errorsOf(text).map(({ range: { start }, code }) => `${start.line} ${code}`);
  expect(codes).toEqual([
    "5 E0154",

    "8 E0203",
    "8 E0201",
    "9 E0102",
    "11 E0204",
    "12 E0207",
  ]);
});

test("an error inside a folded YAML text points to its own line", () => {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
rules:
  - name: a
    where: >-
      idle > 30d
      and heta < 1
    hold: true
`;
  expect(errorsOf(text)).toMatchObject([
    { range: { start: { line: 8, column: 11 }, end: { line: 8, column: 15 } }, code: "E0201" },
  ]);
});
