import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import { refuseByGuards } from "#engine/planning.ts";
import { findRun } from "#engine/runs.ts";
import { planPaths, readPlan, rowsAt, writePlan } from "#jobs/plan-file.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { Run } from "#model/run.ts";
import type { UndoReport, UndoRequest } from "#model/undo.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { inverseRules, readUndone, type Undone } from "#policies/plan/invert-rows.ts";
import { planRows } from "#policies/plan/plan-rows.ts";

const sampleActions = 10;

/**
 * Makes again the copies that a run gave up, as a run of its own. It only adds copies, each
 * read from one that is left, so it is as safe as any replication; what the run made stays.
 */
export async function undoRun(context: EngineContext, request: UndoRequest): Promise<UndoReport> {
  const run = await findRun(context, request.run);
  if (run.endedAt === undefined) {
    throw new EngineError("CONFLICT", `run ${run.id} has not ended: ${run.state}`, {
      retryable: false,
      hint: `wait for it, or thermocline cancel ${run.id}`,
    });
  }
  const { plans } = dataPaths(context.config.dataDirectory);
  await mkdir(plans, { recursive: true });
  const draft = join(plans, `draft-${process.pid}-${randomUUID()}`);
  try {
    const { plan, undone, sample } = await inversePlan(context, run, draft);
    const { blocked, totals } = plan.header;
    const kept = blocked.reduce((sum, { objects }) => sum + objects, 0);
    const lost = undone.gone.reduce((sum, { copies }) => sum + copies, 0);
    return {
      run: run.id,
      ...undone,
      plan,
      sample,
      blocked,
      back: Math.max(0, undone.removed.copies - totals.actions - kept - lost),
      started: request.dryRun === true ? undefined : await begin(context, run, plan, request),
    };
  } finally {
    for (const file of Object.values(planPaths(draft))) await rm(file, { force: true });
  }
}

async function inversePlan(
  context: EngineContext,
  run: Run,
  draft: string,
): Promise<{ plan: Plan; undone: Undone; sample: UndoReport["sample"] }> {
  const { config, index } = context;
  const { plans } = dataPaths(config.dataDirectory);
  const { rowsPath } = await readPlan(join(plans, run.planCid));
  const moment = await context.moment(context.now());
  await using session = await index.session();
  const undone = await readUndone(session, run.id, rowsPath, moment.backends);
  const rules = inverseRules(undone, moment.backends);
  const bounds = { digests: {}, failureLimits: [], limits: {}, approvals: [] };
  const plan = await buildPlan({ rules, moment, ...bounds }, session, {
    engine: context.version,
    indexVersion: await index.version(),
    minimumCopies: config.safety.minimumCopies,
    writeRows: rowsAt(planPaths(draft).rows),
  });
  const sample = await planRows(session, plan.rowsPath, 0, sampleActions);
  return { plan, undone, sample };
}

async function begin(
  context: EngineContext,
  run: Run,
  plan: Plan,
  { expectCid, override = [] }: UndoRequest,
): Promise<Run | undefined> {
  if (expectCid !== undefined && expectCid !== plan.cid) {
    throw new EngineError("STALE_PLAN", "what can be undone is not what was shown any more", {
      hint: "look at it again",
      details: { agreed: expectCid, now: plan.cid },
    });
  }
  if (plan.header.totals.actions === 0) return undefined;
  refuseByGuards(plan, { override });
  const { plans } = dataPaths(context.config.dataDirectory);
  const kept = await writePlan(plan, join(plans, plan.cid));
  return await context.index.beginRun(kept, context.now(), { origin: `undo ${run.id}`, override });
}
