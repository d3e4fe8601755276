import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledPolicySet, Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";

/** A policy named `bench` that has these rules, given as YAML. */
export function policyText(rules: string): string {
  const list = rules.replaceAll(/^/gm, "  ");
  return `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: bench}\nrules:\n${list}\n`;
}

/** The same, compiled; throws what is wrong with it. */
export async function compilePolicyText(rules: string, moment: Moment): Promise<CompiledPolicySet> {
  const registry = await loadAttributes();
  const source = { file: "bench.thermocline.yaml", text: policyText(rules) };
  const parsed = parsePolicies([source], { registry });
  const { set, diagnostics } = compilePolicies(parsed.policies, moment);
  const errors = [...parsed.diagnostics, ...diagnostics].filter(
    ({ severity }) => severity === "error",
  );
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
  return set;
}
