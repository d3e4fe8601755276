import { usdOfShares } from "#model/cost-sql.ts";
import type { Cost, PlanAction } from "#model/plan.ts";
import type { ReadSession } from "#model/sql.ts";
import type { CompiledPolicySet } from "#policies/compiled-policy.ts";
import { decideActions } from "#policies/plan/build-plan.ts";
import { blockedCounts } from "#policies/plan/blocked-wishes.ts";
import { rowsStatement } from "#policies/plan/final-rows.ts";
import { toPlanAction } from "#policies/plan/plan-rows.ts";
import { Planning } from "#policies/plan/planning.ts";
import { matchingRules } from "#policies/plan/scan-candidates.ts";
import { rowCost } from "#policies/price/action-cost.ts";
import { sql } from "#policies/sql-fragment.ts";
import type { Block, CaseOutcome } from "#policies/testing/case-outcome.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";
import { headRoomShare } from "#policies/testing/waves.ts";

/** A case and the ids of its objects in the index. */
export interface LoadedCase {
  readonly test: TestCase;
  readonly ids: readonly number[];
}

/** What is needed to ask the planner. */
export interface Evaluation {
  readonly set: CompiledPolicySet;
  readonly session: ReadSession;
  readonly minimumCopies: number;
}

/** What the planner makes of cases that do not get into each other's way (`wavesOf`). */
export async function evaluateWave(
  evaluation: Evaluation,
  wave: readonly LoadedCase[],
): Promise<readonly CaseOutcome[]> {
  const objects = wave.flatMap(({ ids }) => ids);
  const decided = await decide(evaluation, objects);
  const selected = await selectedBy(evaluation, wave);
  const outcomes: CaseOutcome[] = [];
  for (const { test, ids } of wave) {
    const own = new Set(ids);
    const actions = decided.actions.filter(({ objectId }) => own.has(objectId));
    const blocked = new Map<number, readonly Block[]>();
    for (const objectId of askedForBlocks(test, ids)) {
      blocked.set(objectId, await blocksOf(evaluation, objectId, { ...decided, actions }));
    }
    const cost = costOf(decided.costs.filter(({ objectId }) => own.has(objectId)));
    outcomes.push({ test, ids, actions, blocked, selected, cost });
  }
  return outcomes;
}

interface Decided {
  readonly actions: readonly PlanAction[];
  readonly blocked: readonly Block[];
  readonly costs: readonly ObjectCost[];
}

/** What the actions on one object cost, in shares of a dollar. */
interface ObjectCost {
  readonly objectId: number;
  readonly now: bigint;
  readonly month: bigint;
}

function costOf(costs: readonly ObjectCost[]): Cost {
  return {
    now: usdOfShares(costs.reduce((sum, { now }) => sum + now, 0n)),
    month: usdOfShares(costs.reduce((sum, { month }) => sum + month, 0n)),
  };
}

async function decide(
  { set, session, minimumCopies }: Evaluation,
  objects: readonly number[],
): Promise<Decided> {
  const planning = new Planning(set, session, { minimumCopies, headRoomShare });
  await decideActions(planning, { objects });
  const actions = (await session.rows(rowsStatement(set))).map(toPlanAction);
  const blocks = blockedCounts(planning).map(
    ({ rule, reason }) => [`${rule} ${reason}`, { rule, reason }] as const,
  );
  const blocked = [...new Map(blocks).values()];
  const cost = rowCost(planning);
  const priced = await planning.rows(
    sql`SELECT r.object_id, sum(${cost.now})::VARCHAR AS now, sum(${cost.month})::VARCHAR AS month
      FROM plan_row r ${cost.joins} GROUP BY r.object_id`,
  );
  const costs = priced.map(({ object_id: objectId, now, month }) => {
    return { objectId: Number(objectId), now: BigInt(String(now)), month: BigInt(String(month)) };
  });
  return { actions, blocked, costs };
}

/**
 * What blocks the rules that match one object: what the planner says of it alone, and, where the
 * rule would act on it alone but does not in the whole case, what stopped the rule there.
 */
async function blocksOf(
  evaluation: Evaluation,
  objectId: number,
  whole: Decided,
): Promise<readonly Block[]> {
  const alone = await decide(evaluation, [objectId]);
  const acts = ({ rule }: { readonly rule: string }): boolean =>
    whole.actions.some((action) => action.objectId === objectId && action.rule === rule);
  const stopped = alone.actions.filter((action) => !acts(action)).map(({ rule }) => rule);
  return [...alone.blocked, ...whole.blocked.filter(({ rule }) => stopped.includes(rule))];
}

function askedForBlocks({ expectations, objects }: TestCase, ids: readonly number[]): Set<number> {
  const names = expectations.flatMap(({ object, blocked }) =>
    blocked === undefined ? [] : object,
  );
  return new Set(ids.filter((_, at) => names.includes(objects[at]?.name ?? "")));
}

async function selectedBy(
  { set, session, minimumCopies }: Evaluation,
  wave: readonly LoadedCase[],
): Promise<ReadonlyMap<number, readonly string[]>> {
  const asking = wave.filter(({ test }) => Object.keys(test.selects).length > 0);
  if (asking.length === 0) return new Map();
  const planning = new Planning(set, session, { minimumCopies, headRoomShare });
  const matches = await matchingRules(
    planning,
    asking.flatMap(({ ids }) => ids),
  );
  return new Map(
    [...matches].map(([objectId, rules]) => [
      objectId,
      set.rules.filter((_, index) => rules[index] === true).map(({ id }) => id),
    ]),
  );
}
