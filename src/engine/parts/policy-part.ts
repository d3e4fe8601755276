import type { EngineContext } from "#engine/context.ts";
import { explainNow } from "#engine/explain.ts";
import { storedActions } from "#engine/planning.ts";
import { readingMethods } from "#engine/snapshots/reading-methods.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { ReadingApi } from "#model/snapshot-api.ts";

/** Policies, and what is known: check, plan, explain, list, report. Nothing here writes. */
export function policyPart(
  context: EngineContext,
): ReadingApi & Pick<EngineApi, "validate" | "planActions" | "explain"> {
  const reading = readingMethods(context);
  return {
    ...reading,
    async validate(files) {
      const { policies, moment, now } = context;
      return policies.validate(await moment(now()), files);
    },
    async plan(request) {
      const report = await reading.plan(request);
      const { at, policies, snapshot } = request;
      const isWhole = at === undefined && policies === undefined && snapshot === undefined;
      if (isWhole) context.lastPlan.plan = report.plan;
      return report;
    },
    planActions: (cid, offset, limit) => storedActions(context, cid, offset, limit),
    explain: (request) => explainNow(context, request),
  };
}
