import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { auditReportSchema } from "#api/schemas/audit-schema.ts";

/** The ledger. */
export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/audit/check",
    operation: "checkAudit",
    summary: "Hold the ledger, the outcomes and the figures of the index against each other",
    input: z.strictObject({}),
    answer: { kind: "json", schema: auditReportSchema },
    handle: ({ api }) => api.checkAudit(),
  }),
];
