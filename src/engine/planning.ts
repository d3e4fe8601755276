import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import { agreedPlan, stalePlan } from "#engine/agreed-plan.ts";
import { needsApproval, requestApproval } from "#engine/request-approval.ts";
import { filterOf } from "#engine/objects.ts";
import { readTime } from "#engine/read-time.ts";
import { canonicalCid } from "#policies/expression/canonical-cid.ts";
import type { EngineContext } from "#engine/context.ts";
import { syncFailureLimits } from "#engine/failure-limits.ts";
import type { ApplyRequest, PlanReport, PlanRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { guards, type GuardResult, type Plan, type PlanAction } from "#model/plan.ts";
import type { Run, RunStart } from "#model/run.ts";
import {
  planPaths,
  readPlan,
  rowsAt,
  rowsDiscarded,
  type RowsLook,
  writePlan,
} from "#jobs/plan-file.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import type { PlanScope } from "#policies/plan/narrow-draft.ts";
import { planRows } from "#policies/plan/plan-rows.ts";

/** Actions shown with a plan. */
const sampleActions = 10;

/** What planning needs of the engine. */
export type PlanSource = Pick<
  EngineContext,
  "config" | "version" | "policies" | "index" | "registry" | "now" | "moment"
> & {
  /** CID of the snapshot that is read in the place of the index. */
  readonly snapshot?: string;
};

/** Evaluates the policies and says what would be done. Writes nothing unless `out` asks for it. */
export async function makePlan(
  context: PlanSource,
  request: PlanRequest,
  scope?: PlanScope,
): Promise<PlanReport> {
  const started = performance.now();
  const now = request.at === undefined ? context.now() : readTime(request.at);
  const { index } = context;
  const { policies, variables } = request;
  const set = await context.policies.compile(await context.moment(now), { policies, variables });
  const only = request.only === undefined ? undefined : await choice(context, request.only, now);
  await using session = await index.session();
  let sample: readonly PlanAction[] = [];
  const look: RowsLook = async (reading, path) => {
    sample = await planRows(reading, path, 0, sampleActions);
  };
  const { out } = request;
  const writeRows = out === undefined ? rowsDiscarded(look) : rowsAt(planPaths(out).rows, look);
  const plan = await buildPlan(set, session, {
    engine: context.version,
    indexVersion: await index.version(),
    ...(context.snapshot === undefined ? {} : { snapshot: context.snapshot }),
    minimumCopies: context.config.safety.minimumCopies,
    objectsShareMax: context.config.safety.objectsPercentMax / 100,
    writeRows,
    ...(scope === undefined ? {} : { scope }),
    ...(only === undefined ? {} : { only }),
    ...(request.limits === undefined ? {} : { limits: request.limits }),
    ...(variables === undefined ? {} : { variables }),
  });
  const saved = out === undefined ? plan : await writePlan(plan, out);
  return { plan: saved, elapsedMs: performance.now() - started, sample };
}

/** The objects that `only` names: one, or those of an expression. */
async function choice(context: PlanSource, words: string, now: Date) {
  const isOne = words.startsWith("/") || /^\d+$/.test(words) || canonicalCid(words) !== undefined;
  const objects = isOne
    ? [await context.index.findObject(words)]
    : await filterOf({ ...context, now: () => now }, words);
  return { objects, words };
}

/** What a run is of and how it begins, when no person applies everything. */
export interface ApplyPart {
  readonly scope: PlanScope;
  readonly start: RunStart;
}

/** Starts a run of a plan that a person agreed to, if it is still what planning gives. */
export async function applyPlan(context: EngineContext, request: ApplyRequest): Promise<Run>;
/** Starts a run of a part of the plan; undefined when there is nothing to do. */
export async function applyPlan(
  context: EngineContext,
  request: ApplyRequest,
  part: ApplyPart,
): Promise<Run | undefined>;
export async function applyPlan(
  context: EngineContext,
  request: ApplyRequest,
  part?: ApplyPart,
): Promise<Run | undefined> {
  const now = context.now();
  await syncFailureLimits(context);
  const agreed = await agreedPlan(request, now);
  const { plans } = dataPaths(context.config.dataDirectory);
  await mkdir(plans, { recursive: true });
  const draft = join(plans, `draft-${process.pid}-${randomUUID()}`);
  try {
    const scope = part?.scope ?? agreed.scope;
    const { plan } = await makePlan(context, { ...agreed.request, out: draft }, scope);
    if (agreed.matches !== undefined && !agreed.matches(plan)) throw stalePlan(agreed, plan);
    if (part !== undefined && plan.header.totals.actions === 0) return undefined;
    refuseByGuards(plan, request);
    const kept = await writePlan(plan, join(plans, plan.cid));
    const override = request.override === undefined ? {} : { override: request.override };
    const start = { ...override, ...part?.start };
    if (await needsApproval(context, kept, now)) {
      return await requestApproval(context, kept, now, start);
    }
    return await context.index.beginRun(kept, now, start);
  } finally {
    for (const file of Object.values(planPaths(draft))) await rm(file, { force: true });
  }
}

/** Some actions of a plan that was applied. */
export async function storedActions(
  context: EngineContext,
  cid: string,
  offset: number,
  limit: number,
): Promise<readonly PlanAction[]> {
  if (!isPlanCid(cid)) throw new EngineError("USAGE", `"${cid}" is not the CID of a plan`);
  const { rowsPath } = await storedPlan(context, cid);
  await using session = await context.index.session();
  return await planRows(session, rowsPath, offset, limit);
}

/** A plan that was applied, by CID, or one that was saved, by the name of its file. */
export async function storedPlan(context: EngineContext, reference: string): Promise<Plan> {
  const { plans } = dataPaths(context.config.dataDirectory);
  return await readPlan(isPlanCid(reference) ? join(plans, reference) : reference);
}

function isPlanCid(text: string): boolean {
  return /^[a-z0-9]+$/.test(text);
}

/** Throws REFUSED when a guard of the plan did not pass and is not overridden. */
export function refuseByGuards(
  plan: Plan,
  { override = [], maxObjects }: Pick<ApplyRequest, "override" | "maxObjects">,
): void {
  const { objects } = plan.header.totals;
  if (maxObjects !== undefined && objects > maxObjects) {
    throw new EngineError(
      "REFUSED",
      `the plan touches ${objects} objects, more than ${maxObjects}`,
      {
        hint: "raise the limit, or let the policies select fewer",
      },
    );
  }
  const unknown = override.find((name) => !guards.some((guard) => guard === name));
  if (unknown !== undefined) {
    throw new EngineError("USAGE", `there is no guard "${unknown}"`, {
      hint: `the guards are ${guards.join(", ")}`,
    });
  }
  const blocking = plan.header.guards.filter(
    (guard) => !guard.passed && !(guard.override !== undefined && override.includes(guard.guard)),
  );
  if (blocking.length === 0) return;
  throw new EngineError("REFUSED", blocking.map((guard) => guard.message).join("; "), {
    hint: hintOf(blocking),
    details: { guards: blocking },
  });
}

function hintOf(blocking: readonly GuardResult[]): string {
  const overridable = blocking.every((guard) => guard.override !== undefined);
  if (!overridable) return "this guard has no override: change the policies or the backends";
  const flags = blocking.map((guard) => `--override ${guard.guard}`).join(" ");
  return `look at the plan; if it is what you want, apply with ${flags}`;
}
