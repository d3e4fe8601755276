import { EngineError } from "#model/engine-error.ts";
import { currency, parseMoney } from "#model/money.ts";

/** The most that something costs: one plan of it, or all of it in a month. */
export interface CostLimit {
  readonly usd: number;
  readonly per?: "month";
}

/** `50 USD` or `50 USD/month`. Throws INVALID_DOCUMENT. */
export function parseCostLimit(text: string): CostLimit {
  const amount = text.replace(/\s*\/\s*month\s*$/, "");
  const usd = parseMoney(amount);
  return amount === text ? { usd } : { usd, per: "month" };
}

/** The same for what bounds a single plan: `50 USD`. Throws INVALID_DOCUMENT. */
export function parsePlanCost(text: string): CostLimit {
  const limit = parseCostLimit(text);
  if (limit.per === undefined) return limit;
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is for a month, and this bounds one plan`, {
    hint: `write ${text.replace(/\s*\/.*$/, "")}`,
  });
}

/** What may stand in a document. */
export const costLimitForm = `Money to pay once for one plan, by the price cards: 50 ${currency}.`;
