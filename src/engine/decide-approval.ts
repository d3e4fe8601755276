import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { dataPaths } from "#config/data-paths.ts";
import { savedPlan, stalePlan } from "#engine/agreed-plan.ts";
import type { EngineContext } from "#engine/context.ts";
import { makePlan, refuseByGuards } from "#engine/planning.ts";
import { planPaths, readPlan, writePlan } from "#jobs/plan-file.ts";
import { acting } from "#model/acting.ts";
import {
  type Approval,
  type ApprovalTerms,
  type Decision,
  type DecisionRequest,
  openTerms,
  termsText,
} from "#model/approval.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";
import type { Run } from "#model/run.ts";

/**
 * Approves or rejects a plan that waits. With the last approval its run begins, if planning
 * still gives what was approved: nothing runs that nobody has seen.
 */
export async function decideApproval(
  context: EngineContext,
  request: DecisionRequest,
): Promise<Run> {
  const now = context.now();
  const { index } = context;
  await index.controls.approvals.expire(now);
  const approval = findApproval(await index.controls.approvals.all(), request);
  const by = acting()?.actor ?? "api";
  const decision = { verdict: request.verdict, by, at: now.toISOString(), reason: request.reason };
  if (request.verdict === "reject") {
    return await index.controls.approvals.reject(approval, { ...decision, policies: [] }, now);
  }
  const fulfilled = termsOf(approval, by, context.config.roles);
  const complete: Decision = { ...decision, policies: fulfilled.map(({ policy }) => policy) };
  if (fulfilled.length < openTerms(approval).length) {
    await index.controls.approvals.decided(approval, complete, now);
    return await requireRun(context, approval.runId);
  }
  const plan = await planAgain(context, approval, request.allowSubset === true);
  return await index.controls.approvals.begin(approval, complete, plan, now);
}

/** The one request that the words name. */
function findApproval(
  approvals: readonly Approval[],
  { plan, expectDigest }: DecisionRequest,
): Approval {
  const named = approvals.filter(({ runId, planCid, changeDigest }) =>
    [runId, planCid, changeDigest].some((name) => name.startsWith(plan)),
  );
  const open = named.filter(({ state }) => state === "awaiting");
  const [first, ...others] = open;
  const hint = "`thermocline approvals` lists what waits";
  if (first === undefined) {
    const [known] = named;
    if (known === undefined || plan === "") {
      throw new EngineError("NOT_FOUND", `no plan "${plan}" waits for approval`, { hint });
    }
    const why = known.reason === "" ? "" : `: ${known.reason}`;
    throw new EngineError("CONFLICT", `the plan of ${known.runId} is ${known.state}${why}`, {
      retryable: false,
      hint,
    });
  }
  if (others.length > 0) {
    throw new EngineError("USAGE", `"${plan}" names ${open.length} plans that wait`, { hint });
  }
  if (expectDigest === undefined || expectDigest === first.changeDigest) return first;
  throw new EngineError("STALE_PLAN", "what waits is not the change that was shown", { hint });
}

/** The open terms that this person fulfils. FORBIDDEN when there is none. */
function termsOf(
  approval: Approval,
  actor: string,
  roles: Readonly<Record<string, readonly string[]>>,
): readonly ApprovalTerms[] {
  const open = openTerms(approval);
  const own = open.filter(({ preventSelfApproval }) =>
    preventSelfApproval ? actor !== approval.author : true,
  );
  const fulfilled = own.filter(({ from }) => from === undefined || isOneOf(actor, from, roles));
  if (fulfilled.length > 0) return fulfilled;
  const isOwn = own.length < open.length;
  const why = isOwn ? `; ${actor} applied it, and does not approve it` : `: ${actor} has not`;
  throw new EngineError("FORBIDDEN", `it needs approval by ${termsText(open)}${why}`, {
    hint: isOwn
      ? "somebody else who may has to approve it; `thermocline reject` takes it back"
      : "roles are given to people under `roles:` in thermocline.yaml",
  });
}

function isOneOf(
  actor: string,
  from: string,
  roles: Readonly<Record<string, readonly string[]>>,
): boolean {
  const [kind, name = ""] = from.split(" ");
  const people = kind === "role" ? (roles[name] ?? []) : [name];
  return people.some((person) => person === actor || person === actor.split("@")[0]);
}

/** The plan as it was approved, or what of it still fits. */
async function planAgain(
  context: EngineContext,
  approval: Approval,
  allowSubset: boolean,
): Promise<Plan> {
  const { plans } = dataPaths(context.config.dataDirectory);
  const saved = await readPlan(join(plans, approval.planCid));
  const draft = join(plans, `draft-${process.pid}-${randomUUID()}`);
  try {
    const agreed = savedPlan(saved, true);
    const { plan } = await makePlan(context, { ...agreed.request, out: draft }, agreed.scope);
    refuseByGuards(plan, { override: approval.override });
    if (plan.header.rows === saved.header.rows) return saved;
    const [left, all] = [plan.header.totals.actions, saved.header.totals.actions];
    if (left === 0) throw stalePlan(agreed, plan);
    if (left === all || allowSubset) return await writePlan(plan, join(plans, plan.cid));
    throw new EngineError(
      "STALE_PLAN",
      `${all - left} of ${all} actions are not wanted or not possible any more`,
      {
        hint: `approve the other ${left} with --allow-subset, or reject it and plan again`,
        details: { left, all },
      },
    );
  } finally {
    for (const file of Object.values(planPaths(draft))) await rm(file, { force: true });
  }
}

async function requireRun({ index }: EngineContext, runId: string): Promise<Run> {
  const run = await index.run(runId);
  if (run !== undefined) return run;
  throw new EngineError("NOT_FOUND", `there is no run "${runId}"`);
}
