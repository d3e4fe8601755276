import type { Diagnostic } from "#model/diagnostic.ts";
import { checkApprovers } from "#policies/check-approvers.ts";
import { checkInventory } from "#policies/check-inventory.ts";
import { checkOutside } from "#policies/check-outside.ts";
import { checkTriggers } from "#policies/check-triggers.ts";
import { compileCondition } from "#policies/expression/compile-expression.ts";
import { compileRule, sqlContext } from "#policies/compile-rule.ts";
import type { CompiledPolicySet, Moment } from "#policies/compiled-policy.ts";
import { lintPolicies } from "#policies/lint-policies.ts";
import { switchedOffProtection } from "#policies/lints/switched-off-protection.ts";
import { unpricedLimits } from "#policies/lints/unpriced-limit.ts";
import type { Policy } from "#policies/policy.ts";

export interface CompiledPolicies {
  /** Only to be used when no diagnostic is an error. */
  readonly set: CompiledPolicySet;
  readonly diagnostics: readonly Diagnostic[];
}

/** Binds policies to an inventory and a moment; the order of `policies` does not matter. */
export function compilePolicies(policies: readonly Policy[], moment: Moment): CompiledPolicies {
  const ordered = policies.toSorted(
    (a, b) => b.priority - a.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const bound = ordered.flatMap((policy) =>
    policy.rules.map((rule) => ({ policy, rule, compiled: compileRule(rule, policy, moment) })),
  );
  const digests = Object.fromEntries(ordered.map(({ name, digest }) => [name, digest]));
  const limits = Object.fromEntries(ordered.map((policy) => [policy.name, policy.limits]));
  const approvals = ordered.flatMap(({ name, approval }) =>
    approval === undefined
      ? []
      : [
          {
            terms: { policy: name, ...approval.terms },
            when: compileCondition(approval.condition, sqlContext(moment, "o.path")),
          },
        ],
  );
  const active = bound.filter(({ rule }) => rule.enabled !== false);
  const rules = active.map(({ compiled }) => compiled);
  const off = bound.filter(({ rule }) => rule.enabled === false);
  const switchedOff = off.map(({ compiled }) => compiled.id);
  const failureLimits = ordered
    .map((policy) => policy.failureLimits)
    .toSorted((a, b) => (a.policy < b.policy ? -1 : 1));
  const diagnostics = [
    ...bound.flatMap((one) => checkInventory(one, moment)),
    ...bound.flatMap((one) => checkOutside(one, moment)),
    ...ordered.flatMap((policy) => checkTriggers(policy, moment.backends)),
    ...ordered.flatMap((policy) => checkApprovers(policy, moment.roles)),
    ...lintPolicies(active, moment),
    ...unpricedLimits(active, moment.backends),
    ...off.flatMap(switchedOffProtection),
  ];
  return {
    set: { rules, switchedOff, digests, failureLimits, limits, approvals, moment },
    diagnostics: sortedByPlace(withoutRepeats(diagnostics)),
  };
}

/** What is wrong with a class is found by every rule that uses it, but said once. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...new Map(diagnostics.map((one) => [JSON.stringify(one), one])).values()];
}

function sortedByPlace(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => {
    if (a.file !== b.file) return a.file < b.file ? -1 : 1;
    const [left, right] = [a.range.start, b.range.start];
    return left.line - right.line || left.column - right.column;
  });
}
