import { type LeftOut, type LeftOutReason, leftOutReasons } from "#model/control.ts";
import type { ReadSession } from "#model/sql.ts";
import { readStuck } from "#policies/plan/find-stuck.ts";
import { ruleNames } from "#policies/plan/final-rows.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

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

/** The wishes that no draft is left of: quarantined, without their rule, or met otherwise. */
async function leftOutOf(
  planning: Planning,
  table: string,
  rules: SqlFragment,
  rule: SqlFragment,
): Promise<readonly LeftOut[]> {
  const rows = await planning.rows(sql`SELECT count(*) AS actions,
      CASE WHEN NOT list_contains(${rules}, w.rule) THEN 'no-rule'
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
