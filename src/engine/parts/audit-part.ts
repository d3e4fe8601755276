import { auditEntries, exportAudit } from "#engine/audit.ts";
import type { EngineContext } from "#engine/context.ts";
import type { EngineApi } from "#model/engine-api.ts";

type AuditPart = Pick<EngineApi, "audit" | "exportAudit" | "checkAudit">;

/** The ledger: what happened, and whether it is whole. */
export function auditPart(context: EngineContext): AuditPart {
  return {
    audit: (request) => auditEntries(context, request),
    exportAudit: (request) => exportAudit(context, request),
    checkAudit: () => context.index.checkAudit(),
  };
}
