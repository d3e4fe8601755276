import { type Backend, hasPrice } from "#model/backend.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import { backendsIn } from "#policies/plan/mask-sql.ts";

/** A bound on costs where no backend that the policy touches charges anything: it never binds. */
export function unpricedLimits(
  rules: readonly BoundRule[],
  backends: readonly Backend[],
): readonly Diagnostic[] {
  const policies = [...new Set(rules.map(({ policy }) => policy))];
  return policies.flatMap((policy): readonly Diagnostic[] => {
    const { name, limits, places } = policy;
    if (limits.costUsd === undefined && limits.budget === undefined) return [];
    const mask = rules
      .filter((bound) => bound.policy === policy)
      .reduce((all, { compiled }) => all | touchedBy(compiled.verb), 0n);
    const touched = backendsIn(mask, backends);
    if (touched.length === 0 || touched.some(hasPrice)) return [];
    const names = touched.map((backend) => backend.name).toSorted();
    const message =
      `limits.cost of policy "${name}" bounds nothing: no backend that its rules may use has ` +
      `a price (${names.join(", ")})`;
    const hint = "give them a price: in thermocline.yaml, or remove limits.cost";
    const range = places.value(["limits", "cost"]);
    return [places.diagnostic(range, { severity: "warning", code: "W0423", message, hint })];
  });
}

/** Backends that may charge for what a rule does: content for a copy is read wherever it is. */
function touchedBy(verb: CompiledVerb): bigint {
  if (verb.kind === "evict") return verb.from;
  return verb.kind === "hold" ? 0n : -1n;
}
