import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineContext } from "#engine/context.ts";
import { makePlan } from "#engine/planning.ts";
import { readPlan } from "#jobs/plan-file.ts";
import type { PlanDiff, PlanDiffRequest, PlanSide } from "#model/plan-diff.ts";
import type { Plan } from "#model/plan.ts";
import { compareRows } from "#policies/plan/compare-rows.ts";

const standardSamples = 3;
/** Somebody may write between two plans; then both are made again. */
const triesMax = 3;

/** What two plans do differently. Policies are planned for the same moment on the same index. */
export async function diffPlans(
  context: EngineContext,
  request: PlanDiffRequest,
): Promise<PlanDiff> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-diff-"));
  try {
    const at = request.at ?? context.now().toISOString();
    const [from, to] = await bothPlans(context, request, at, folder);
    await using session = await context.index.session();
    const compared = await compareRows(session, {
      from: from.rowsPath,
      to: to.rowsPath,
      backends: await context.index.backends(),
      samples: request.samples ?? standardSamples,
    });
    return { from: summary(from), to: summary(to), ...compared };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bothPlans(
  context: EngineContext,
  { from, to }: PlanDiffRequest,
  at: string,
  folder: string,
): Promise<readonly [Plan, Plan]> {
  for (let tries = 1; ; tries += 1) {
    const first = await sideOf(context, from, at, join(folder, "from"));
    const second = await sideOf(context, to, at, join(folder, "to"));
    const isPlanned = "policies" in from && "policies" in to;
    const agree = first.header.indexVersion === second.header.indexVersion;
    if (!isPlanned || agree || tries === triesMax) return [first, second];
  }
}

async function sideOf(
  context: EngineContext,
  side: PlanSide,
  at: string,
  out: string,
): Promise<Plan> {
  if ("planFile" in side) return await readPlan(side.planFile);
  return (await makePlan(context, { policies: side.policies, at, out })).plan;
}

function summary({ cid, evaluatedAt, header, cost }: Plan): PlanDiff["from"] {
  const { indexVersion, totals } = header;
  const priced = cost === undefined ? {} : { cost: { now: cost.now, month: cost.month } };
  return { cid, evaluatedAt, indexVersion, actions: totals.actions, ...priced };
}
