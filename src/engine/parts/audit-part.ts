import type { EngineContext } from "#engine/context.ts";
import type { EngineApi } from "#model/engine-api.ts";

/** The ledger: whether it is whole. */
export function auditPart({ index }: EngineContext): Pick<EngineApi, "checkAudit"> {
  return { checkAudit: () => index.checkAudit() };
}
