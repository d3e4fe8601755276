import type { EngineContext } from "#engine/context.ts";
import { acting } from "#model/acting.ts";
import { changeDigest } from "#model/approval.ts";
import type { Plan } from "#model/plan.ts";
import type { Run, RunStart } from "#model/run.ts";

/**
 * Whether somebody must agree first. An approval of the same change that was given, has not run
 * out and was not used up holds: whatever else changed in the policies, the effects are the ones
 * agreed to. A run that did anything has used its approval up.
 */
export async function needsApproval(
  { index }: Pick<EngineContext, "index">,
  plan: Plan,
  now: Date,
): Promise<boolean> {
  const terms = plan.header.approvals ?? [];
  if (terms.length === 0) return false;
  for (const approval of await index.controls.approvals.all()) {
    if (approval.state !== "approved" || approval.changeDigest !== changeDigest(plan)) continue;
    if (approval.expiresAt <= now.toISOString()) continue;
    const covered = terms.every((wanted) =>
      approval.terms.some((had) => had.policy === wanted.policy && had.from === wanted.from),
    );
    const run = await index.run(approval.runId);
    if (covered && run?.endedAt !== undefined && run.progress.done === 0) return false;
  }
  return true;
}

/** Keeps the plan as a run that begins when everybody agreed whom its policies name. */
export async function requestApproval(
  { index }: Pick<EngineContext, "index">,
  plan: Plan,
  now: Date,
  start: RunStart,
): Promise<Run> {
  const ttls = (plan.header.approvals ?? []).map(({ ttlMs }) => ttlMs);
  return await index.controls.approvals.request(plan, now, {
    // Nobody is the author of what a schedule or trigger starts.
    author: acting()?.actor ?? start.origin ?? "thermocline",
    expiresAt: new Date(now.getTime() + Math.min(...ttls)),
    start,
  });
}
