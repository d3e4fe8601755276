import { z } from "zod";
import { type AuditCheck, auditChecks } from "#model/audit.ts";
import type { AuditEntry, AuditFinding, AuditReport } from "#model/audit.ts";
import { count, optionalText, shapeOf, time } from "#model/shape.ts";

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

/** One entry of the ledger. */
export const auditEntrySchema = shapeOf<AuditEntry>({
  entry: count,
  recorded: time,
  kind: z.string(),
  outcome: optionalText,
  reason: optionalText,
  message: optionalText,
  run: optionalText,
  plan: optionalText,
  action: count.optional(),
  policy: optionalText,
  rule: optionalText,
  verb: optionalText,
  backend: optionalText,
  cid: optionalText,
  path: optionalText,
  actor: optionalText,
  note: optionalText,
  detail: z.unknown().optional(),
});
