import type { EngineContext } from "#engine/context.ts";
import { explainNow } from "#engine/explain.ts";
import { makePlan, storedActions } from "#engine/planning.ts";
import type { EngineApi } from "#model/engine-api.ts";

/** Policies: check, plan, explain. Nothing here writes. */
export function policyPart(
  context: EngineContext,
): Pick<EngineApi, "validate" | "plan" | "planActions" | "explain"> {
  return {
    async validate(files) {
      const { policies, moment, now } = context;
      return policies.validate(await moment(now()), files);
    },
    async plan(request) {
      const report = await makePlan(context, request);
      const isWhole = request.at === undefined && request.policies === undefined;
      if (isWhole) context.lastPlan.plan = report.plan;
      return report;
    },
    planActions: (cid, offset, limit) => storedActions(context, cid, offset, limit),
    explain: (request) => explainNow(context, request),
  };
}
