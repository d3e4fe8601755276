import type { PlanCost } from "#model/plan.ts";
import { sampleReport } from "./sample-report.ts";

/** What a plan costs that is bound by a budget, and what it left because that does not pay. */
export const samplePlanCost: PlanCost = {
  currency: "USD",
  now: "1.25",
  month: "-0.000000001",
  groups: [{ now: "1.25", month: "-0.000000001" }],
  refused: [
    {
      rule: "cool/down",
      horizonMs: 86_400_000,
      now: "2",
      early: "0.5",
      month: "0",
      atMinimumSize: 3,
    },
  ],
  budgets: sampleReport.budgets ?? [],
};
