import type { PlanLimits } from "#model/plan-limits.ts";
import { limitOfCost } from "#model/cost-limit.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

type LimitsDocument = Pick<NonNullable<PolicyDocument["limits"]>, "objects" | "bytes" | "cost">;

/** What `limits` of a policy or of a trigger bounds at plan. */
export function readPlanLimits({ objects, bytes, cost }: LimitsDocument = {}): PlanLimits {
  return {
    ...objects,
    ...(bytes === undefined ? {} : { bytes }),
    ...(cost === undefined ? {} : limitOfCost(cost)),
  };
}
