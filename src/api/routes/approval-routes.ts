import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { approvalSchema, decisionInput } from "#api/schemas/approval-schema.ts";
import { runSchema } from "#api/schemas/run-schema.ts";

/** Plans that a person must approve. */
export const approvalRoutes: readonly Route[] = [
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
