import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import { lintFinding } from "#policies/lint-finding.ts";

/** Somebody may rest on a rule that protects, and nothing else says that it does not. */
export function switchedOffProtection(bound: BoundRule): readonly Diagnostic[] {
  const { name, verb } = bound.rule;
  if (verb.kind !== "hold" && verb.kind !== "ensure") return [];
  const message = `rule "${name}" protects, and is switched off`;
  const hint = "remove `enabled: false`, or the rule where nobody rests on it";
  return [lintFinding(bound, "W0422", ["enabled"], message, hint)];
}
