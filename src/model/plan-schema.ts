import { z } from "zod";
import type { ApprovalTerms } from "#model/approval.ts";
import type { PlanReport } from "#model/engine-api.ts";
import { type Budget, type BudgetState, type PlanBudget, budgetPeriods } from "#model/budget.ts";
import type {
  BlockedCount,
  Cost,
  CostRefusal,
  CopyRequirement,
  CopySpread,
  GuardResult,
  Plan,
  PlanAction,
  PlanCost,
  PlanGroup,
  PlanHeader,
  PlanTotals,
  SavedPlan,
} from "#model/plan.ts";
import { confidences } from "#model/copy.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import { blockReasons, guards, verbs } from "#model/plan.ts";
import { currency } from "#model/money.ts";
import { runOrderSchema } from "#model/run-order.ts";
import { count, optionalText, type Shape, shapeOf, time } from "#model/shape.ts";

const backendId = count.nullable();
const backendName = z.string().nullable();

/** One row of a plan. */
export const planActionSchema = shapeOf<PlanAction>({
  sequence: count,
  verb: z.enum(verbs),
  objectId: count,
  cid: z.string(),
  size: count,
  profile: z.string(),
  source: backendId,
  target: backendId,
  victim: backendId,
  rule: z.string(),
  reason: z.string(),
  requirements: z.array(
    shapeOf<CopyRequirement>({
      rule: z.string(),
      backends: z.string().describe("bit mask over backend ids, in decimal"),
      copies: count,
      confidence: z.enum(confidences),
      spread: shapeOf<CopySpread>({
        per: z.string().describe("region, tier, driver or labels.<key>"),
        values: count.describe("in how many values of it the copies lie"),
        groups: z.array(z.string()).describe("the backends of each value, as bit masks"),
      }).optional(),
    }),
  ),
});

const totalsSchema = shapeOf<PlanTotals>({
  actions: count,
  objects: count,
  bytesMoved: count,
  bytesFreed: count,
  groups: z.array(
    shapeOf<PlanGroup>({
      verb: z.enum(verbs),
      rule: z.string(),
      source: backendName,
      target: backendName,
      victim: backendName,
      actions: count,
      bytes: count,
    }),
  ),
});

const budget: Shape<Budget> = { usd: z.number().nonnegative(), per: z.enum(budgetPeriods) };
const planBudget: Shape<PlanBudget> = { ...budget, of: z.string(), policy: optionalText };

/** Limits of a plan as they travel. */
export const planLimitsSchema = shapeOf<PlanLimits>({
  objects: count.optional(),
  objectsShare: z.number().min(0).max(1).optional(),
  bytes: count.optional(),
  costUsd: z.number().nonnegative().optional(),
  budget: shapeOf<Budget>(budget).optional(),
});

/** Terms of an approval as they travel. */
export const approvalTermsSchema = shapeOf<ApprovalTerms>({
  policy: z.string(),
  when: z.string(),
  from: optionalText,
  ttlMs: count,
  preventSelfApproval: z.boolean(),
});

/** What rules could not be given. */
export const blockedSchema = shapeOf<BlockedCount>({
  rule: z.string(),
  reason: z.enum(blockReasons),
  objects: count,
  bytes: count,
  limit: optionalText,
});

const headerSchema = shapeOf<PlanHeader>({
  schemaVersion: z.literal(1),
  engine: z.string(),
  policies: z.record(z.string(), z.string()),
  indexVersion: count,
  snapshot: optionalText,
  inventory: z.string(),
  rows: z.string(),
  totals: totalsSchema,
  guards: z.array(
    shapeOf<GuardResult>({
      guard: z.enum(guards),
      passed: z.boolean(),
      message: z.string(),
      override: optionalText,
    }),
  ),
  blocked: z.array(blockedSchema),
  limits: planLimitsSchema.optional(),
  only: optionalText,
  variables: z.record(z.string(), z.string()).optional(),
  budgets: z.array(shapeOf<PlanBudget>(planBudget)).optional(),
  approvals: z.array(approvalTermsSchema).optional(),
  leases: z.record(z.string(), count).optional(),
  orders: z.record(z.string(), runOrderSchema).optional(),
  groups: z.array(z.string()).optional(),
});

const usd = z.string().regex(/^-?\d+(?:\.\d{1,9})?$/);
const cost: Shape<Cost> = { now: usd, month: usd };

/** What something costs, now and a month. */
export const costSchema = shapeOf<Cost>(cost);

/** How a budget stands. */
export const budgetStateSchema = shapeOf<BudgetState>({
  ...planBudget,
  settled: usd,
  reserved: usd,
  left: usd,
});

const refusal: Shape<CostRefusal> = {
  ...cost,
  rule: z.string(),
  horizonMs: count,
  early: usd,
  atMinimumSize: count,
};

const saved: Shape<SavedPlan> = {
  cid: z.string(),
  evaluatedAt: time,
  cost: shapeOf<PlanCost>({
    currency: z.literal(currency),
    ...cost,
    groups: z.array(costSchema),
    refused: z.array(shapeOf<CostRefusal>(refusal)).optional(),
    budgets: z.array(budgetStateSchema).optional(),
  }).optional(),
  header: headerSchema,
};

/** A plan as its file has it. */
export const savedPlanSchema = shapeOf<SavedPlan>(saved);

/** A plan without its rows. */
export const planSchema = shapeOf<Plan>({ ...saved, rowsPath: z.string() });

/** A plan with its first actions. */
export const planReportSchema = shapeOf<PlanReport>({
  plan: planSchema,
  elapsedMs: z.number(),
  sample: z.array(planActionSchema),
});
