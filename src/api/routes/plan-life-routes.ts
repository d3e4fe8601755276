import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { approvalSchema, decisionInput } from "#api/schemas/approval-schema.ts";
import { planDiffInput, planDiffSchema } from "#api/schemas/plan-diff-schema.ts";
import { undoInput, undoReportSchema } from "#api/schemas/undo-schema.ts";
import { runSchema } from "#api/schemas/run-schema.ts";

/** What becomes of plans: compare, approve, reject. */
export const planLifeRoutes: readonly Route[] = [
  defineRoute({
    method: "POST",
    path: "/api/v1/plans/diff",
    operation: "diffPlans",
    summary: "What two plans, or the plans of two versions of the policies, do differently",
    input: planDiffInput,
    answer: { kind: "json", schema: planDiffSchema },
    handle: ({ api }, request) => api.diffPlans(request),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/undos",
    operation: "undoRun",
    summary: "Make again the copies that a run gave up; with dryRun only say which",
    input: undoInput,
    answer: { kind: "json", schema: undoReportSchema },
    handle: ({ api }, request) => api.undoRun(request),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/approvals",
    operation: "approvals",
    summary: "Plans that wait for approval, and what became of earlier ones",
    input: z.strictObject({}),
    answer: { kind: "json", schema: z.array(approvalSchema) },
    handle: ({ api }) => api.approvals(),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/approvals",
    operation: "decideApproval",
    summary: "Approve or reject a plan that waits; its run begins with the last approval",
    input: decisionInput,
    answer: { kind: "json", schema: runSchema },
    handle: ({ api }, request) => api.decideApproval(request),
  }),
];
