import { expect } from "vitest";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { type CompiledPolicies, compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { demoMoment } from "./demo-backends.ts";

/** Rules of a policy `p`, whose text is faultless by itself, bound to the demo backends. */
export async function compileRules(rules: string): Promise<CompiledPolicies> {
  const head = "apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: p}\nrules:\n";
  const sources = [{ file: "p.yaml", text: head + rules }];
  const { policies, diagnostics } = parsePolicies(sources, { registry: await loadAttributes() });
  expect(diagnostics).toEqual([]);
  return compilePolicies(policies, demoMoment);
}
