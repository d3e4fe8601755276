import { z } from "zod";
import type { Route } from "#api/route.ts";
import { defineRoute } from "#api/route.ts";
import { absolutePath, moment, queryNumber, reference } from "#api/schemas/input.ts";
import { auditEntrySchema, auditReportSchema } from "#api/schemas/audit-schema.ts";
import { rowFileSchema } from "#api/schemas/row-file-schema.ts";
import type { Shape } from "#model/shape.ts";
import type { AuditExportRequest, AuditRequest } from "#model/audit.ts";

const request = {
  where: z.string().max(100_000).exactOptional(),
  since: moment.exactOptional(),
  until: moment.exactOptional(),
  run: reference.exactOptional(),
  object: reference.exactOptional(),
  limit: queryNumber.exactOptional(),
} satisfies Shape<AuditRequest>;

/** The ledger. */
export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/api/v1/audit",
    operation: "audit",
    summary: "Entries of the ledger in pieces, the newest last",
    input: z.strictObject(request),
    answer: { kind: "ndjson", schema: z.array(auditEntrySchema) },
    handle: ({ api }, input) => api.audit(input),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/audit/export",
    operation: "exportAudit",
    summary: "Write entries of the ledger to a file of the controller's machine",
    input: z.strictObject({
      ...request,
      file: absolutePath,
    } satisfies Shape<AuditExportRequest>),
    answer: {
      kind: "json",
      schema: rowFileSchema,
    },
    handle: ({ api }, input) => api.exportAudit(input),
  }),
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
