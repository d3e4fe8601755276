import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import { filterOf } from "#engine/objects.ts";
import { applyPlan, makePlan } from "#engine/planning.ts";
import { findRun } from "#engine/runs.ts";
import {
  forgetUnderWay,
  retryCounts,
  retryMatches,
  retryMatchesTable,
  retryObjects,
  variablesOfRun,
} from "#index/runs/retry-wishes.ts";
import { z } from "zod";
import type { PlanRequest } from "#model/engine-api.ts";
import type { RetryReport, RetryRequest } from "#model/control.ts";
import { readPlan } from "#jobs/plan-file.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SqlRow } from "#model/sql.ts";
import type { PlanScope } from "#policies/plan/narrow-draft.ts";
import { toStatement } from "#policies/sql-fragment.ts";

/**
 * Tries failed and cancelled actions again: of all that the policies want now, exactly what had
 * failed, as a new run. What is no longer wanted, or is under way, is left out, so that asking
 * twice does nothing twice.
 */
export async function retry(context: EngineContext, request: RetryRequest): Promise<RetryReport> {
  const run = request.run === undefined ? undefined : (await findRun(context, request.run)).id;
  const { cause, policy, backend } = request;
  const where = toStatement(await filterOf(context, request.where));
  let failed = { actions: 0, bytes: 0, underWay: 0 };
  let leftOut: RetryReport["leftOut"] = [];
  const made = run === undefined ? {} : await variablesOf(context, run);
  const scope: PlanScope = {
    onLeftOut: (found) => {
      leftOut = found;
    },
    wishes: async (session) => {
      await session.run(retryObjects(where));
      const choice = Object.entries({ run, cause, policy, backend });
      await session.run(retryMatches(Object.fromEntries(choice.filter(([, value]) => value))));
      const [row] = await session.rows(retryCounts);
      failed = countsOf(row);
      await session.run(forgetUnderWay);
      return retryMatchesTable;
    },
  };
  const origin = run === undefined ? "retry" : `retry ${run}`;
  const started =
    request.dryRun === true
      ? undefined
      : await applyPlan(context, { ...request, ...made }, { scope, start: { origin } });
  const plan =
    started === undefined
      ? (await makePlan(context, made, scope)).plan
      : await readPlan(join(dataPaths(context.config.dataDirectory).plans, started.planCid));
  return { failed, plan, leftOut, run: started };
}

/** A run is tried again with the values that its policies had. */
async function variablesOf(
  { index }: EngineContext,
  run: string,
): Promise<Pick<PlanRequest, "variables">> {
  await using session = await index.session();
  const [row] = await session.rows(variablesOfRun(run));
  const text = row?.["variables"];
  if (typeof text !== "string") return {};
  return { variables: z.record(z.string(), z.string()).parse(JSON.parse(text)) };
}

function countsOf(row: SqlRow | undefined): RetryReport["failed"] {
  return {
    actions: Number(row?.["actions"]),
    bytes: Number(row?.["bytes"]),
    underWay: Number(row?.["under_way"]),
  };
}

/** The answer to those who name nothing: everything that ever failed is seldom meant. */
export function requireChoice({ run, cause, policy, backend, where }: RetryRequest): void {
  if ([run, cause, policy, backend, where].some((word) => word !== undefined)) return;
  throw new EngineError("USAGE", "nothing names what is to be tried again", {
    hint: "name a run, or --cause, --policy, --backend or --where",
  });
}
