import { type Budget, budgetPeriods } from "#model/budget.ts";
import { currency, parseMoney } from "#model/money.ts";
import type { PlanLimits } from "#model/plan-limits.ts";

/** What something costs at most: one plan of it, or all plans of it in a period. */
export type CostLimit = { readonly usd: number; readonly per?: undefined } | Budget;

/** `50 USD` or `50 USD/month`. Throws INVALID_DOCUMENT. */
export function parseCostLimit(text: string): CostLimit {
  const slash = text.lastIndexOf("/");
  const period = slash === -1 ? undefined : text.slice(slash + 1).trim();
  const per = budgetPeriods.find((known) => known === period);
  // What is not a period is not an amount of money either.
  return per === undefined
    ? { usd: parseMoney(text) }
    : { usd: parseMoney(text.slice(0, slash)), per };
}

/** The same as a limit of plans. */
export function limitOfCost(cost: CostLimit): Pick<PlanLimits, "costUsd" | "budget"> {
  return cost.per === undefined ? { costUsd: cost.usd } : { budget: cost };
}

/** What may stand in a document. */
export const costLimitForm =
  `Money to pay once, by the price cards: 50 ${currency} for each plan, or a budget of all plans ` +
  `in a period (UTC): 50 ${currency}/month, /week or /day.`;
