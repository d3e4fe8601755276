import { keepWishes, type WishScope } from "#policies/plan/keep-wishes.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/** The part of a plan that is wanted now: a policy's, or exactly what somebody asked for. */
export type PlanScope = PolicyScope | WishScope;

/** What one policy wants (schedules and triggers). */
export interface PolicyScope {
  /** Only actions that rules of this policy want. */
  readonly policy: string;
  /** At most the removals that free this much on a backend (by id). */
  readonly free?: { readonly backend: number; readonly bytes: number };
}

/**
 * Leaves of the drafts only what one policy wants. All policies were evaluated together, so
 * that its actions respect the promises of the others. A removal that rests on another action
 * of the plan waits until that one was done, since the other may not be in this part.
 */
export async function narrowDraft(planning: Planning, scope: PlanScope): Promise<void> {
  if ("wishes" in scope) return keepWishes(planning, scope);
  const own = planning.rules.flatMap((rule, index) =>
    rule.policy === scope.policy ? [sql`${index}::INTEGER`] : [],
  );
  const isOwn = own.length === 0 ? trusted("false") : sql`rule IN (${joinFragments(own, ", ")})`;
  await planning.run(
    sql`DELETE FROM plan_draft WHERE NOT (${isOwn}) OR (depends AND target IS NULL)`,
  );
  const isOwnBlock =
    own.length === 0 ? trusted("false") : sql`rule_index IN (${joinFragments(own, ", ")})`;
  await planning.run(sql`DELETE FROM plan_blocked WHERE NOT (${isOwnBlock})`);
  if (scope.free === undefined) return;
  const { backend, bytes } = scope.free;
  await planning.run(sql`DELETE FROM plan_draft d USING (
      SELECT d.object_id, d.step, d.part, sum(c.size) OVER (
        ORDER BY d.step, d.position, d.object_id, d.part ROWS UNBOUNDED PRECEDING) - c.size AS freed
      FROM plan_draft d JOIN plan_candidate c ON c.object_id = d.object_id
      WHERE d.victim = ${backend}::INTEGER) r
    WHERE d.object_id = r.object_id AND d.step = r.step AND d.part = r.part
      AND r.freed >= ${bytes}::BIGINT`);
}
