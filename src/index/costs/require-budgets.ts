import type { Transaction } from "#index/transaction.ts";
import { formatBudget, type PlanBudget, periodStart } from "#model/budget.ts";
import { sharesOf, usdOfShares } from "#model/cost-sql.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatMoney } from "#model/money.ts";

/**
 * Throws STALE_PLAN when a run that has just reserved its costs does not fit a budget of its plan:
 * another run took what was left after it was planned.
 */
export async function requireBudgets(
  transaction: Transaction,
  runKey: number,
  budgets: readonly PlanBudget[],
  now: Date,
): Promise<void> {
  for (const budget of budgets) {
    const { added, others, settled } = await spentOf(transaction, runKey, budget, now);
    if (added === 0n || settled + others + added <= sharesOf(budget.usd)) continue;
    throw new EngineError(
      "STALE_PLAN",
      `the plan costs ${usd(added)}, which the budget of ${formatBudget(budget)} of ` +
        `${budget.of} has no longer: ${usd(settled)} settled, ${usd(others)} reserved`,
      { hint: "plan again: the new plan stops where the budget ends" },
    );
  }
}

function usd(shares: bigint): string {
  return formatMoney(usdOfShares(shares));
}

async function spentOf(
  transaction: Transaction,
  runKey: number,
  { per, policy }: PlanBudget,
  now: Date,
): Promise<Record<"added" | "others" | "settled", bigint>> {
  const own = "($2::VARCHAR IS NULL OR policy = $2)";
  const row = await transaction.row<Record<"added" | "others" | "settled", string>>(
    `SELECT
       (SELECT coalesce(sum(amount), 0) FROM reserved_costs
        WHERE run_key = $1 AND ${own})::VARCHAR AS added,
       (SELECT coalesce(sum(amount), 0) FROM reserved_costs
        WHERE run_key <> $1 AND ${own})::VARCHAR AS others,
       (SELECT coalesce(sum(amount), 0) FROM settled_costs
        WHERE day >= $3::DATE AND ${own})::VARCHAR AS settled`,
    [runKey, policy ?? null, periodStart(per, now)],
  );
  const { added, others, settled } = row;
  return { added: BigInt(added), others: BigInt(others), settled: BigInt(settled) };
}
