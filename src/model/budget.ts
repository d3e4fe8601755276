import { formatMoney, type Usd } from "#model/money.ts";

export const budgetPeriods = ["day", "week", "month"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];

/** The most that may be spent in each period, whatever number of plans that is. */
export interface Budget {
  readonly usd: number;
  readonly per: BudgetPeriod;
}

/** A budget that binds a plan: of what one policy wants, or of all policies. */
export interface PlanBudget extends Budget {
  /** Who set it, in words: `policy cool-down`, `this plan`. */
  readonly of: string;
  /** Only what rules of this policy want is counted. */
  readonly policy?: string;
}

/** How much of a budget is used in its period, in dollars. */
export interface BudgetState extends PlanBudget {
  /** Paid since the first day of the period. */
  readonly settled: Usd;
  /** What open runs may still cost. */
  readonly reserved: Usd;
  /** What is left for plans. */
  readonly left: Usd;
}

/** `50.00 USD/month, 48.20 USD settled, 1.10 USD reserved, 0.70 USD left`. */
export function budgetWords(budget: BudgetState): string {
  const { settled, reserved, left } = budget;
  const used = `${formatMoney(settled)} settled, ${formatMoney(reserved)} reserved`;
  return `${formatBudget(budget)}, ${used}, ${formatMoney(left)} left`;
}

/** `50.00 USD/month`. */
export function formatBudget({ usd, per }: Budget): string {
  return `${formatMoney(usd)}/${per}`;
}

/** The first day (UTC, `2026-11-01`) of the period at a time; weeks begin on Monday. */
export function periodStart(per: BudgetPeriod, now: Date): string {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const first = {
    day,
    week: day - ((now.getUTCDay() + 6) % 7),
    month: 1,
  }[per];
  return new Date(Date.UTC(year, month, first)).toISOString().slice(0, 10);
}
