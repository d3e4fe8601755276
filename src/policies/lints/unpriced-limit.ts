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
      `limits.cost of policy "${name}" bounds nothing: no backend that its rules touch has a ` +
      `price (${names.join(", ")})`;
    const hint = "give them a price: in thermocline.yaml, or remove limits.cost";
    const range = places.value(["limits", "cost"]);
    return [places.diagnostic(range, { severity: "warning", code: "W0423", message, hint })];
  });
}

/** Backends from which a rule takes copies, or to which it brings some. */
function touchedBy(verb: CompiledVerb): bigint {
  switch (verb.kind) {
    case "ensure":
    case "run":
      return verb.on;
    case "evict":
      return verb.from;
    case "demote":
    case "promote":
      return verb.from | verb.to;
    case "delete":
      return -1n;
    case "hold":
      break;
  }
  return 0n;
}
