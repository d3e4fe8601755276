import { type LeftOut, type LeftOutReason, leftOutReasons } from "#model/control.ts";
import type { ReadSession } from "#model/sql.ts";
import { readStuck } from "#policies/plan/find-stuck.ts";
import { ruleNames } from "#policies/plan/final-rows.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { matched, rulesOf } from "#policies/plan/match-words.ts";
import { copiesOn, withSame } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Of all that is wanted now, what was wanted before: actions that failed (retry). */
export interface WishScope {
  /** Makes a temporary table in the session (`object_id`, `verb`, `rule`) and names it. */
  readonly wishes: (session: ReadSession) => Promise<string>;
  /** Hears which of them the plan leaves out. */
  readonly onLeftOut?: (leftOut: readonly LeftOut[]) => void;
}

/**
 * Leaves of the drafts only the wishes of a scope. A removal that rests on another action stays
 * only beside copies of the same object: that other action may not be in this part.
 */
export async function keepWishes(
  planning: Planning,
  { wishes, onLeftOut }: WishScope,
): Promise<void> {
  const table = await wishes(planning.session);
  const list = ruleNames(planning.rules);
  const rule = sql`(${list})[d.rule + 1]`;
  await planning.run(sql`DELETE FROM plan_draft AS d WHERE NOT EXISTS (
    SELECT 1 FROM ${trusted(table)} AS w
    WHERE w.object_id = d.object_id AND w.verb = d.verb AND w.rule = ${rule})`);
  await planning.run(sql`DELETE FROM plan_draft AS d
    WHERE d.depends AND d.target IS NULL AND NOT EXISTS (
      SELECT 1 FROM plan_draft AS c WHERE c.object_id = d.object_id AND c.target IS NOT NULL)`);
  await readStuck(planning);
  onLeftOut?.(await leftOutOf(planning, table, list, rule));
  // What the policies cannot have is no part of what somebody asked for.
  planning.blocked.keepOnly(() => false);
}

/** The wishes that no draft is left of: without their rule, locked, quarantined, or met otherwise. */
async function leftOutOf(
  planning: Planning,
  table: string,
  rules: SqlFragment,
  rule: SqlFragment,
): Promise<readonly LeftOut[]> {
  const locked = await lockedWish(planning);
  const rows = await planning.rows(sql`SELECT count(*) AS actions,
      CASE WHEN NOT list_contains(${rules}, w.rule) THEN 'no-rule'
        WHEN ${locked} THEN 'locked'
        WHEN w.object_id IN (SELECT object_id FROM plan_stuck) OR EXISTS (SELECT 1 FROM failing AS f
          WHERE f.object_id = w.object_id AND f.quarantined_at IS NOT NULL
            AND f.step = 'act' AND f.rule = w.rule) THEN 'quarantined'
        ELSE 'not-planned' END AS reason
    FROM ${trusted(table)} AS w
    WHERE NOT EXISTS (SELECT 1 FROM plan_draft AS d
      WHERE d.object_id = w.object_id AND d.verb = w.verb AND ${rule} = w.rule)
    GROUP BY reason`);
  const reasons = Object.keys(leftOutReasons) as LeftOutReason[];
  return reasons.flatMap((reason) => {
    const row = rows.find((one) => one["reason"] === reason);
    return row === undefined ? [] : [{ reason, actions: Number(row["actions"]) }];
  });
}

/** Whether a removal (`w`) is still wanted of a copy that its backend lets nobody remove. */
async function lockedWish(planning: Planning): Promise<SqlFragment> {
  if (!planning.hasLocked) return trusted("false");
  const claims = [
    ...rulesOf(planning.rules, "demote", "evict").map(({ rule, index, verb }) =>
      claimOf(rule.id, matched(index), maskSql(verb.from)),
    ),
    ...rulesOf(planning.rules, "ensure").flatMap(({ rule, index, verb: { on, copies } }) => {
      if (copies.max === undefined) return [];
      const gone = withSame(planning, trusted("c.removed"));
      const there = sql`((c.present_mask | c.added) & ~${gone} & ${maskSql(on)})`;
      const surplus = sql`${matched(index)} AND ${copiesOn(planning, there)} > ${copies.max}::INTEGER`;
      return [claimOf(rule.id, surplus, maskSql(on))];
    }),
    ...rulesOf(planning.rules, "delete").map(({ rule, index }) =>
      claimOf(rule.id, sql`${matched(index)} AND c.deletion = 'due'`, maskSql(-1n)),
    ),
    // What was had for a time goes when its rule does not match any more.
    ...leaseRules(planning.rules).map(({ rule, index }) =>
      claimOf(rule.id, trusted("true"), trusted(`c.x${index}`)),
    ),
  ];
  if (claims.length === 0) return trusted("false");
  await planning.settle();
  return sql`(w.verb IN ('demote', 'evict', 'delete') AND EXISTS (
    SELECT 1 FROM plan_candidate AS c WHERE c.object_id = w.object_id
      AND NOT c.held AND (${joinFragments(claims, " OR ")})))`;
}

/** Whether a rule wants a locked copy of a candidate (`c`) gone. */
function claimOf(rule: string, wants: SqlFragment, mask: SqlFragment): SqlFragment {
  return sql`(w.rule = ${rule} AND ${wants} AND (c.present_mask & c.locked & ${mask}) <> 0)`;
}
