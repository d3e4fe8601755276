import type { EngineContext } from "#engine/context.ts";
import { diffPlans } from "#engine/diff-plans.ts";
import { explainNow } from "#engine/explain.ts";
import { ruleStatements } from "#engine/rule-statements.ts";
import { storedActions } from "#engine/planning.ts";
import { readingMethods } from "#engine/snapshots/reading-methods.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { ReadingApi } from "#model/snapshot-api.ts";

/** Policies, and what is known: check, plan, explain, list, report. Nothing here writes. */
export function policyPart(
  context: EngineContext,
): ReadingApi &
  Pick<EngineApi, "validate" | "planActions" | "explain" | "ruleStatements" | "diffPlans"> {
  const reading = readingMethods(context);
  return {
    ...reading,
    async validate(files, variables) {
      const { policies, moment, now } = context;
      return policies.validate(await moment(now()), { policies: files, variables });
    },
    async plan(request) {
      const report = await reading.plan(request);
      // Metrics speak of what all policies want now, not of a part of it.
      const { out: _file, ...narrowing } = request;
      if (Object.keys(narrowing).length === 0) context.lastPlan.plan = report.plan;
      return report;
    },
    planActions: (cid, offset, limit) => storedActions(context, cid, offset, limit),
    diffPlans: (request) => diffPlans(context, request),
    explain: (request) => explainNow(context, request),
    ruleStatements: (request) => ruleStatements(context, request),
  };
}
