import { z } from "zod";
import { type AuditCheck, auditChecks, type AuditFinding, type AuditReport } from "#model/audit.ts";
import { count, shapeOf } from "#api/schemas/shape.ts";

const checks = Object.keys(auditChecks) as [AuditCheck, ...AuditCheck[]];

/** The answer of the self-check. */
export const auditReportSchema = shapeOf<AuditReport>({
  runs: count,
  actions: count,
  outcomes: shapeOf<AuditReport["outcomes"]>({
    done: count,
    skipped: count,
    failed: count,
    cancelled: count,
  }),
  permits: count,
  proofs: count,
  settlements: count,
  entries: count,
  findings: z.array(
    shapeOf<AuditFinding>({ check: z.enum(checks), count, examples: z.array(z.string()) }),
  ),
});
