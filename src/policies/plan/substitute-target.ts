import { copyPromises, mayGo } from "#policies/plan/copy-promise.ts";
import type { RemovalRule } from "#policies/plan/judge-removals.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import {
  anyMask,
  confidenceColumn,
  maskSql,
  noBackends,
  without,
} from "#policies/plan/mask-sql.ts";
import { matched, rulesOf } from "#policies/plan/match-words.ts";
import { copiesOn, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { claimedBefore } from "#policies/plan/removable.ts";
import { spreadOf, valuesOn, withPeers } from "#policies/plan/spread.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Backends that ensure rules select and a demote rule does not empty. */
export function substituteBackends({ rules }: Planning, { verb }: RemovalRule): bigint {
  if (verb.kind !== "demote") return 0n;
  const selected = rulesOf(rules, "ensure").reduce((mask, ensure) => mask | ensure.verb.on, 0n);
  return selected & ~verb.from;
}

/**
 * Whether anything could keep a copy at `from` that has one on the target: a promise, or a floor
 * of more than the one verified copy that is there.
 */
function mayNeedSubstitute({ rules, backends, minimumCopies }: Planning, from: bigint): boolean {
  if (minimumCopies > 1 || leaseRules(rules).length > 0) return true;
  return copyPromises(rules, backends).some(({ on }) => (on & from) !== 0n);
}

/**
 * Where else a copy would let one of these copies go, when a demote has its copy on the target
 * already but an ensure counts on the one at its source: with two copies wanted anywhere and
 * one of them where the demote would have put it, the other must move beside it. Zero when the
 * copy may go as things are, or when copies are on their way that may change that.
 */
export function substituteMask(
  planning: Planning,
  { index, verb }: RemovalRule,
  copies: SqlFragment,
): SqlFragment {
  if (verb.kind !== "demote" || !mayNeedSubstitute(planning, verb.from)) return noBackends;
  const victim = sql`((${copies}) & -(${copies}))`;
  const state = { gained: planning.added, gone: planning.removed, demote: index };
  const broken = rulesOf(planning.rules, "ensure")
    .filter((ensure) => (ensure.verb.on & verb.from) !== 0n)
    .map((ensure) => {
      const { on, confidence, copies: wanted } = ensure.verb;
      const column = trusted(`c.${confidenceColumn(confidence)}`);
      const left = without(
        anyMask(column, planning.added),
        planning.removed,
        withSame(planning, victim),
      );
      const counted = sql`(${left} & ${maskSql(on)})`;
      const spread = spreadOf(planning, ensure.verb);
      // Where the values of the copies that remain are too few, one of another value is needed.
      const apart =
        spread === undefined
          ? trusted("")
          : sql`WHEN ${matched(ensure.index)} AND (${maskSql(on)} & ${victim}) <> 0
              AND ${valuesOn(planning, spread, counted)} < ${spread.values}::INTEGER
            THEN ${maskSql(on)} & ~${withPeers(planning, spread, counted)}`;
      return sql`CASE ${apart} WHEN ${matched(ensure.index)} AND (${maskSql(on)} & ${victim}) <> 0
        AND ${copiesOn(planning, counted)} < ${wanted.min}::INTEGER
        THEN ${maskSql(on)} ELSE -1 END`;
    });
  // A substitute never goes where some rule wants no copy.
  const unwanted = claimedBefore(planning);
  // Only the floor of verified copies is in the way: another copy on the target lifts it.
  const all = broken.length === 0 ? trusted("-1::BIGINT") : joinFragments(broken, " & ");
  return sql`CASE WHEN c.in_flight_mask <> 0 OR ${mayGo(planning, victim, state)} THEN 0
    ELSE CASE (${all}) WHEN -1 THEN ${maskSql(verb.to)} ELSE (${all}) END & ~${unwanted} END`;
}
