import { restsOnOthers } from "#policies/plan/draft.ts";
import { keepSaved, type SavedScope } from "#policies/plan/keep-saved.ts";
import { keepWishes, type WishScope } from "#policies/plan/keep-wishes.ts";
import type { NamedLimits } from "#policies/plan/limit-bounds.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** The part of a plan that is wanted now: a policy's, or exactly what somebody asked for. */
export type PlanScope = PolicyScope | WishScope | SavedScope;

/** What one policy wants (schedules and triggers). */
export interface PolicyScope {
  /** Only actions that rules of this policy want. */
  readonly policy: string;
  /** Only objects that leave this backend (by id), the first ones that free this much. */
  readonly free?: { readonly backend: number; readonly bytes: number };
  /** What started it allows no more than this; the policy's own limits hold as well. */
  readonly limits?: NamedLimits;
}

/** The limits that a scope sets, and for which policy. */
export function limitsOfScope(scope: PlanScope): (NamedLimits & { policy: string }) | undefined {
  if (!("policy" in scope) || scope.limits === undefined) return undefined;
  return { ...scope.limits, policy: scope.policy };
}

/**
 * Leaves of the drafts only what one policy wants. All policies were evaluated together, so
 * that its actions respect the promises of the others. A removal that rests on another action
 * of the plan waits until that one was done, since the other may not be in this part.
 */
export async function narrowDraft(planning: Planning, scope: PlanScope): Promise<void> {
  if ("wishes" in scope) return keepWishes(planning, scope);
  if ("savedRows" in scope) return keepSaved(planning, scope);
  const own = planning.rules.flatMap((rule, index) =>
    rule.policy === scope.policy ? [sql`${index}::INTEGER`] : [],
  );
  const isOneOf = (column: SqlFragment) =>
    own.length === 0 ? trusted("false") : sql`${column} IN (${joinFragments(own, ", ")})`;
  await planning.run(sql`DELETE FROM plan_draft WHERE NOT (${isOneOf(trusted("rule"))})`);
  planning.blocked.keepOnly((index) => planning.rules[index]?.policy === scope.policy);
  if (scope.free !== undefined) await keepWhatFrees(planning, scope.free);
  await planning.run(sql`DELETE FROM plan_draft AS d WHERE ${restsOnOthers(planning)}`);
}

/** In the order of the rules, as many objects as free enough, and all that is done to these. */
async function keepWhatFrees(
  planning: Planning,
  { backend, bytes }: NonNullable<PolicyScope["free"]>,
): Promise<void> {
  await planning.settle();
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_freeing AS
    WITH leaving AS (
      SELECT object_id, min(step) AS step, min(position) AS position
      FROM plan_draft WHERE victim = ${backend}::INTEGER GROUP BY object_id
    ), freeing AS (
      SELECT l.object_id, sum(c.size) OVER (
        ORDER BY l.step, l.position, l.object_id ROWS UNBOUNDED PRECEDING) - c.size AS before
      FROM leaving l JOIN plan_candidate c ON c.object_id = l.object_id
    )
    SELECT object_id FROM freeing WHERE before < ${bytes}::BIGINT`);
  await planning.run(
    trusted("DELETE FROM plan_draft WHERE object_id NOT IN (SELECT object_id FROM plan_freeing)"),
  );
}
