import { restsOnOthers } from "#policies/plan/draft.ts";
import { groupRules, isGroupRule } from "#policies/plan/group.ts";
import {
  type Bound,
  type Bounds,
  limitBounds,
  type NamedLimits,
} from "#policies/plan/limit-bounds.ts";
import { openBudgets, planBudgets } from "#policies/plan/plan-budgets.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { actionCost } from "#policies/price/action-cost.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What bounds a plan besides what its policies say of themselves. */
export interface AskedLimits {
  /** For all policies together (command line). */
  readonly plan?: PlanLimits | undefined;
  /** For what one policy does (trigger). */
  readonly policy?: (NamedLimits & { readonly policy: string }) | undefined;
}

/**
 * Cuts the drafts at the limits of each policy, and then at those of the plan. An object is done
 * whole or left for a later plan: in the order of the rules as they stand, then in that of its
 * rule. The first object that does not fit ends it, so that a later one never overtakes; an
 * object that alone is too large for all bytes, or for the whole of a budget, is passed over, so
 * that it cannot stand in the way for ever.
 */
export async function limitDraft(planning: Planning, asked: AskedLimits): Promise<void> {
  const names = [...new Set(planning.rules.map(({ policy }) => policy))];
  const budgets = await openBudgets(planning, planBudgets(planning, asked));
  for (const policy of names) {
    const own = planning.rules.flatMap((rule, index) =>
      rule.policy === policy ? [sql`${index}::INTEGER`] : [],
    );
    const limits = [
      { of: `policy ${policy}`, limits: planning.set.limits[policy] ?? {} },
      ...(asked.policy?.policy === policy ? [asked.policy] : []),
    ];
    const ofPolicy = budgets.filter(({ budget }) => budget.policy === policy);
    const bounds = await limitBounds(planning, limits, ofPolicy);
    await cut(planning, sql`d.rule IN (${joinFragments(own, ", ")})`, bounds);
  }
  const limits = [{ of: "this plan", limits: asked.plan ?? {} }];
  const ofPlan = budgets.filter(({ budget }) => budget.policy === undefined);
  await cut(planning, trusted("true"), await limitBounds(planning, limits, ofPlan));
}

async function cut(planning: Planning, own: SqlFragment, bounds: Bounds): Promise<void> {
  if (kinds.every((kind) => bounds[kind].length === 0)) return;
  await planning.settle();
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_cut AS
    SELECT object_id, ${firstOf(bounds, ({ reason }) => reason)} AS reason,
      ${firstOf(bounds, ({ words }) => words)} AS words
    FROM (${ranked(planning, own, bounds)}) WHERE ${anyOf(bounds, isExceeded)}`);
  // A removal that rests on another action of the plan goes with it, whoever wanted it.
  const gone = sql`(${own} OR ${restsOnOthers(planning)})`;
  await planning.blocked.count(
    planning,
    sql`SELECT rule, reason, count(*) AS objects, sum(size)::BIGINT AS bytes, words
    FROM (SELECT DISTINCT d.rule, d.object_id, d.size, x.reason, x.words
      FROM plan_draft d JOIN plan_cut x ON x.object_id = d.object_id WHERE ${gone})
    GROUP BY rule, reason, words`,
  );
  await planning.run(sql`DELETE FROM plan_draft AS d
    WHERE ${gone} AND d.object_id IN (SELECT object_id FROM plan_cut)`);
}

const kinds = ["objects", "bytes", "cost"] as const;
type Kind = (typeof kinds)[number];
type Test = (kind: Kind, bound: Bound) => SqlFragment;

/**
 * An object that alone is too large, or that comes when the others have used all there is. What
 * is free always fits what may be spent, also when more than that is spent already.
 */
const isExceeded: Test = (kind, bound) =>
  sql`(${isTooLarge(kind, bound)} OR (fits AND ${trusted(kind === "cost" ? "own_cost > 0 AND " : "")}
    ${trusted(kind)} > ${atMost(bound.most)}))`;

const isTooLarge: Test = (kind, bound) =>
  sql`${trusted(`own_${kind}`)} > ${atMost(bound.mostAlone)}`;

/** As text, since more than 64 bits can be no parameter. */
function atMost(bound: bigint): SqlFragment {
  return sql`${String(bound)}::HUGEINT`;
}

function anyOf(bounds: Bounds, test: Test): SqlFragment {
  const tests = kinds.flatMap((kind) => bounds[kind].map((bound) => test(kind, bound)));
  return joinFragments(tests, " OR ");
}

/** What is told of the first bound that is exceeded. */
function firstOf(bounds: Bounds, told: (bound: Bound) => string): SqlFragment {
  const arms = kinds.flatMap((kind) =>
    bounds[kind].map((bound) => sql`WHEN ${isExceeded(kind, bound)} THEN ${told(bound)}`),
  );
  return sql`CASE ${joinFragments(arms, " ")} END`;
}

/** Objects with what all up to them would use; those of a group that goes together as one. */
function ranked(planning: Planning, own: SqlFragment, bounds: Bounds): SqlFragment {
  const cost = bounds.cost.length === 0 ? undefined : actionCost(planning);
  const each = sql`SELECT d.object_id, min(row(d.rule, d.position)) AS place, 1 AS objects,
      sum(c.size) AS bytes, ${cost === undefined ? trusted("0") : sql`sum(${cost.now})`} AS cost,
      max(CASE WHEN ${isGroupRule(planning, "d.rule")} THEN c.collection END) AS collection
    FROM plan_draft d JOIN plan_candidate c ON c.object_id = d.object_id
    ${cost?.joins ?? trusted("")}
    WHERE ${own} GROUP BY d.object_id`;
  const isGrouped = groupRules(planning.rules).length > 0;
  const units = isGrouped
    ? sql`SELECT *, min(row(place, object_id)) OVER unit AS first,
        sum(objects) OVER unit AS own_objects, sum(bytes) OVER unit AS own_bytes,
        sum(cost) OVER unit AS own_cost
      FROM (${each})
      WINDOW unit AS (PARTITION BY coalesce('in ' || collection, object_id::VARCHAR))`
    : sql`SELECT *, objects AS own_objects, bytes AS own_bytes, cost AS own_cost FROM (${each})`;
  const turns = isGrouped
    ? "ORDER BY first RANGE UNBOUNDED PRECEDING"
    : "ORDER BY place, object_id ROWS UNBOUNDED PRECEDING";
  return sql`SELECT object_id, fits, own_objects, own_bytes, own_cost, ${running}
    FROM (SELECT *, NOT (${anyOf(bounds, isTooLarge)}) AS fits FROM (${units}))
    WINDOW turns AS (${trusted(turns)})`;
}

/** What all up to an object use that could be done at all. */
const running = joinFragments(
  kinds.map((kind) => trusted(`sum(CASE WHEN fits THEN ${kind} ELSE 0 END) OVER turns AS ${kind}`)),
  ", ",
);
