import { z } from "zod";
import { type Budget, budgetPeriods } from "#model/budget.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { Shape } from "#model/shape.ts";

const bound = z.int().nonnegative();

/** Limits that come with a request for a plan. */
export const planLimitsInput = z.strictObject({
  objects: bound.exactOptional(),
  objectsShare: z.number().min(0).max(1).exactOptional(),
  bytes: bound.exactOptional(),
  costUsd: z.number().nonnegative().exactOptional(),
  budget: z
    .strictObject({
      usd: z.number().nonnegative(),
      per: z.enum(budgetPeriods),
    } satisfies Shape<Budget>)
    .exactOptional(),
} satisfies Shape<PlanLimits>);
