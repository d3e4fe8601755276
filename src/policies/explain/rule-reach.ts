import type { CompiledRule } from "#policies/compiled-policy.ts";
import { endedCopies, leaseRules } from "#policies/plan/lease.ts";
import { bitOf, confidenceColumn, maskSql } from "#policies/plan/mask-sql.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { lacksCopies } from "#policies/plan/spread.ts";
import type { RuleTests } from "#policies/plan/scan-candidates.ts";
import { namesOver, quotaName } from "#policies/plan/used-by.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Over `o`: objects on which a rule might act in some turn of a plan. Rather too many than too
 * few: what other actions of the plan bring about for an object is left open. Of a rule with a
 * mark those in `plan_first`.
 */
export function mayAct(planning: Planning, { fits }: RuleTests, index: number): SqlFragment {
  const rule = planning.rules[index];
  if (rule === undefined) return trusted("false");
  const acts = sql`(${fits(rule, index)} AND ${mayWant(planning, rule, index)})`;
  const lease = leaseRules(planning.rules).find((one) => one.index === index);
  return lease === undefined ? acts : sql`(${acts} OR ${endedCopies(planning, lease)} <> 0)`;
}

function mayWant(planning: Planning, { verb }: CompiledRule, index: number): SqlFragment {
  switch (verb.kind) {
    case "ensure": {
      const held = trusted(`(o.${confidenceColumn(verb.confidence)} | o.in_flight_mask)`);
      return verb.copies.max === undefined
        ? lacksCopies(planning, verb, sql`${held} & ${maskSql(verb.on)}`)
        : trusted("true");
    }
    case "evict":
    case "demote": {
      const there = isOn(verb.from);
      if (verb.quota !== undefined) {
        return sql`(${there} AND ${quotaName(verb.quota.per)} IN (${namesOver(index)}))`;
      }
      return verb.free === undefined
        ? there
        : sql`o.object_id IN (SELECT object_id FROM plan_first WHERE rule = ${index}::INTEGER)`;
    }
    case "promote":
      return sql`((o.verified_mask | o.in_flight_mask) & ${maskSql(verb.to)}) = 0`;
    case "delete":
    case "run":
      return trusted("true");
    case "hold":
      break;
  }
  return trusted("false");
}

/** Objects of which a rule might put a copy on a backend. */
export function mayPut(
  planning: Planning,
  tests: RuleTests,
  index: number,
  backend: number,
): SqlFragment | undefined {
  const rule = planning.rules[index];
  if (rule === undefined || (targetsOf(planning, rule) & bitOf(backend)) === 0n) return undefined;
  return sql`(NOT ${isOn(bitOf(backend))} AND ${mayAct(planning, tests, index)})`;
}

/** Objects of which a rule might take a copy from a backend, or put one there. */
export function mayChange(
  planning: Planning,
  tests: RuleTests,
  index: number,
  backend: number,
): SqlFragment | undefined {
  const rule = planning.rules[index];
  if (rule === undefined) return undefined;
  const takes =
    (victimsOf(planning, rule, index) & bitOf(backend)) === 0n
      ? []
      : [sql`(${isOn(bitOf(backend))} AND ${mayAct(planning, tests, index)})`];
  const puts = mayPut(planning, tests, index, backend);
  const parts = puts === undefined ? takes : [...takes, puts];
  return parts.length === 0 ? undefined : sql`(${joinFragments(parts, " OR ")})`;
}

function isOn(mask: bigint): SqlFragment {
  return sql`((o.present_mask & ${maskSql(mask)}) <> 0)`;
}

/** Where a rule puts copies; a demote also where an ensure lets a copy take the place of another. */
function targetsOf({ rules }: Planning, { verb }: CompiledRule): bigint {
  if (verb.kind === "ensure") return verb.on;
  if (verb.kind === "promote") return verb.to;
  if (verb.kind !== "demote") return 0n;
  return rulesOf(rules, "ensure").reduce((mask, ensure) => mask | ensure.verb.on, verb.to);
}

/** Where a rule gives up copies. */
function victimsOf({ rules }: Planning, { verb }: CompiledRule, index: number): bigint {
  const leased = leaseRules(rules).find((lease) => lease.index === index)?.on ?? 0n;
  switch (verb.kind) {
    case "evict":
    case "demote":
      return verb.from;
    case "ensure":
      return verb.copies.max === undefined ? leased : verb.on;
    case "delete":
      return -1n;
    default:
      return leased;
  }
}
