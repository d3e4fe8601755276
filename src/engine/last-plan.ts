import type { Plan } from "#model/plan.ts";

/** The last plan of all policies for the present that this process made; kept for metrics. */
export class LastPlan {
  plan: Plan | undefined;
}
