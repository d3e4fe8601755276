import { asideWait } from "#jobs/aside-wait.ts";
import { laneOf } from "#jobs/lanes.ts";
import type { LaneJob } from "#jobs/queue-view.ts";
import type { HeldWork, Wait, Work } from "#model/wait.ts";

/**
 * Batches that were handed out and whose jobs stepped aside. A rule that objects says it best;
 * else the job has said itself what it met.
 */
export function heldAsides(
  jobs: readonly LaneJob[],
  judge: (work: Work) => Wait | undefined,
  now: Date,
): readonly HeldWork[] {
  return jobs.flatMap((job) => {
    const { runId, policy, verb, source, target, victim } = job.data;
    const lane = laneOf(job.data);
    const work = { runId, policy, verb, source, target, victim, lane, node: undefined };
    const wait = judge(work) ?? asideWait(job);
    const since = job.since ?? now.toISOString();
    return wait === undefined ? [] : [{ work, wait, since, batches: 1 }];
  });
}

/** The same work that waits for the same reason is one entry, since the first of it waits. */
export function joinHeld(all: readonly HeldWork[]): readonly HeldWork[] {
  const joined = new Map<string, HeldWork>();
  for (const one of all) {
    const { runId, lane, policy, verb, source, target, victim } = one.work;
    const { reason } = one.wait;
    const key = JSON.stringify([runId, lane, policy, verb, source, target, victim, reason]);
    const known = joined.get(key);
    const since = known === undefined || one.since < known.since ? one.since : known.since;
    joined.set(key, { ...(known ?? one), since, batches: one.batches + (known?.batches ?? 0) });
  }
  return [...joined.values()];
}
