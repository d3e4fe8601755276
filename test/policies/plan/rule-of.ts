import type { Backend } from "#model/backend.ts";
import type { CompiledPolicySet, CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { booleanType } from "#policies/expression/value-type.ts";
import { trusted } from "#policies/sql-fragment.ts";

const span = { source: "true", start: 0, end: 4 };

/** A rule as a test states it: `where` is SQL over `o`. */
export function ruleOf(
  name: string,
  verb: CompiledVerb,
  where = "true",
  more: Partial<CompiledRule> = {},
): CompiledRule {
  return {
    id: `test/${name}`,
    policy: "test",
    place: "test.yaml:1:1",
    where: trusted(where),
    whereByName: undefined,
    // Explain takes this apart; what a rule matches is decided by `where`.
    expression: { kind: "literal", value: true, type: booleanType, span },
    verb,
    order: [],
    limit: { objects: undefined, bytes: undefined },
    ...more,
  };
}

export const testNow = new Date("2026-06-01T12:00:00Z");

export function setOf(
  backends: readonly Backend[],
  ...rules: readonly CompiledRule[]
): CompiledPolicySet {
  const heat = { landmark: new Date("2026-05-04T12:00:00Z"), halfLifeMs: 7 * 86_400_000 };
  const digests = { test: "00" };
  return {
    rules,
    digests,
    failureLimits: [],
    limits: {},
    approvals: [],
    moment: { now: testNow, backends, heat },
  };
}

/** Mask of backend ids. */
export function on(...ids: readonly number[]): bigint {
  return ids.reduce((mask, id) => mask | (1n << BigInt(id)), 0n);
}

export function ensure(
  mask: bigint,
  min: number,
  more: Partial<Extract<CompiledVerb, { kind: "ensure" }>> = {},
): CompiledVerb {
  return {
    kind: "ensure",
    copies: { min, max: undefined },
    on: mask,
    confidence: "verified",
    per: undefined,
    ...more,
  };
}
