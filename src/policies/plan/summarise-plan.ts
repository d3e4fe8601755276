import type { PlanBudget } from "#model/budget.ts";
import { currency } from "#model/money.ts";
import type { PlanCost, PlanTotals } from "#model/plan.ts";
import { budgetState, openBudgets } from "#policies/plan/plan-budgets.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { RowGroup, RowSummary } from "#policies/plan/summarise-rows.ts";
import { isPriced } from "#policies/price/action-cost.ts";
import { usdOfShares } from "#model/cost-sql.ts";
import { costRefusals } from "#policies/price/refuse-losses.ts";

/** Totals of the rows, for the header. */
export function planTotals(planning: Planning, { groups, objects }: RowSummary): PlanTotals {
  const names = new Map(planning.backends.map(({ id, name }) => [id, name]));
  const name = (id: number | null) => (id === null ? null : (names.get(id) ?? null));
  const sum = (count: (group: RowGroup) => number) =>
    groups.reduce((all, group) => all + count(group), 0);
  return {
    actions: sum(({ actions }) => actions),
    objects: objects.acting,
    bytesMoved: sum(({ bytesMoved }) => bytesMoved),
    bytesFreed: sum(({ victim, bytes }) => (victim === null ? 0 : bytes)),
    groups: groups.map(({ verb, ruleIndex, source, target, victim, actions, bytes }) => ({
      verb,
      rule: planning.rules[ruleIndex]?.id ?? "",
      source: name(source),
      target: name(target),
      victim: name(victim),
      actions,
      bytes,
    })),
  };
}

/** What the rows cost, in all and by group; undefined where nothing has a price. */
export async function planCost(
  planning: Planning,
  { groups }: RowSummary,
  budgets: readonly PlanBudget[],
): Promise<PlanCost | undefined> {
  if (!isPriced(planning)) return undefined;
  const refused = await costRefusals(planning);
  const states = (await openBudgets(planning, budgets)).map(budgetState);
  const sum = (shares: (group: RowGroup) => bigint) =>
    groups.reduce((all, group) => all + shares(group), 0n);
  return {
    currency,
    now: usdOfShares(sum(({ costNow }) => costNow)),
    month: usdOfShares(sum(({ costMonth }) => costMonth)),
    groups: groups.map(({ costNow, costMonth }) => ({
      now: usdOfShares(costNow),
      month: usdOfShares(costMonth),
    })),
    ...(refused.length === 0 ? {} : { refused }),
    ...(states.length === 0 ? {} : { budgets: states }),
  };
}
