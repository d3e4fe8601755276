import type { ReadingSource } from "#engine/snapshots/reading-source.ts";
import type { BudgetState } from "#model/budget.ts";
import { budgetState, openBudgets, planBudgets } from "#policies/plan/plan-budgets.ts";
import { Planning } from "#policies/plan/planning.ts";

/** How the budgets of the policies stand; none while the policies cannot be read. */
export async function budgetStates({
  index,
  policies,
  moment,
  now,
}: Pick<ReadingSource, "index" | "policies" | "moment" | "now">): Promise<readonly BudgetState[]> {
  const set = await policies.compile(await moment(now())).catch(() => undefined);
  if (set === undefined) return [];
  await using session = await index.session();
  const planning = new Planning(set, session, { minimumCopies: 1, headRoomShare: 0 });
  return (await openBudgets(planning, planBudgets(planning, {}))).map(budgetState);
}
