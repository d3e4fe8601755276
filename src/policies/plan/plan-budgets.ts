import { type BudgetState, type PlanBudget, periodStart } from "#model/budget.ts";
import { sharesOf, usdOfShares } from "#model/cost-sql.ts";
import type { AskedLimits } from "#policies/plan/limit-draft.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { isPriced } from "#policies/price/action-cost.ts";
import { sql } from "#policies/sql-fragment.ts";

/** A budget with what is used of it, in shares of a dollar. */
export interface OpenBudget {
  readonly budget: PlanBudget;
  readonly settled: bigint;
  readonly reserved: bigint;
  readonly left: bigint;
}

/** The budgets of the policies and those that were asked for; none where nothing has a price. */
export function planBudgets(planning: Planning, asked: AskedLimits): readonly PlanBudget[] {
  if (!isPriced(planning)) return [];
  const policies = [...new Set(planning.rules.map(({ policy }) => policy))];
  const own = policies.map((policy) => {
    return { of: `policy ${policy}`, policy, limits: planning.set.limits[policy] ?? {} };
  });
  const started = asked.policy === undefined ? [] : [asked.policy];
  const all = [...own, ...started, { of: "this plan", limits: asked.plan ?? {} }];
  return all.flatMap(({ limits, ...of }) =>
    limits.budget === undefined ? [] : [{ ...of, ...limits.budget }],
  );
}

/** How the budgets stand at the moment of the plan, as the index knows it. */
export async function openBudgets(
  planning: Planning,
  budgets: readonly PlanBudget[],
): Promise<readonly OpenBudget[]> {
  const open: OpenBudget[] = [];
  for (const budget of budgets) {
    const first = periodStart(budget.per, planning.set.moment.now);
    const policy = budget.policy ?? null;
    const [row] = await planning.rows(sql`SELECT
        coalesce(sum(shares) FILTER (day >= ${first}::DATE), 0)::VARCHAR AS settled,
        coalesce(sum(shares) FILTER (day IS NULL), 0)::VARCHAR AS reserved
      FROM spending WHERE ${policy}::VARCHAR IS NULL OR policy = ${policy}`);
    const settled = BigInt(String(row?.["settled"]));
    const reserved = BigInt(String(row?.["reserved"]));
    const left = sharesOf(budget.usd) - settled - reserved;
    open.push({ budget, settled, reserved, left: left > 0n ? left : 0n });
  }
  return open;
}

/** The same in dollars. */
export function budgetState({ budget, settled, reserved, left }: OpenBudget): BudgetState {
  return {
    ...budget,
    settled: usdOfShares(settled),
    reserved: usdOfShares(reserved),
    left: usdOfShares(left),
  };
}
