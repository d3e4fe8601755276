import type { Batch, Run } from "#model/run.ts";
import { rootJobId, stepQueue, stepsOf } from "#jobs/batch-flow.ts";
import type { DispatchContext } from "#jobs/dispatch-context.ts";
import { endBatch } from "#jobs/end-batch.ts";
import { indexQueue } from "#jobs/lanes.ts";
import { stepJobId } from "#jobs/step-job.ts";

/** A batch whose flows fail as a whole (defects, not objects) is given up after so many. */
const flowAttemptsMax = 4;
/** One whose flows complete and do not end it: with so many, something else is wrong. */
const completedFlowsMax = 8;
const batchesAtOnce = 200;

/**
 * Looks whether the flow of every queued batch still lives. A lost one (crash between marking
 * and enqueuing, or a lost queue store), a failed one, and one whose results went into an index
 * that was lost since, are made anew under the next attempt; one that failed too often ends its
 * actions as failed, with the cause. What was cancelled, and no worker holds, ends.
 */
export async function repairFlows(runs: readonly Run[], context: DispatchContext): Promise<void> {
  for (const run of runs) {
    if (run.state !== "running" && run.state !== "paused" && run.state !== "cancelled") continue;
    if (run.progress.remaining === 0) continue;
    for (let after = -1; ;) {
      const batches = await context.index.queuedBatches(run.id, after, batchesAtOnce);
      const renew: number[] = [];
      for (const batch of batches) {
        if (await repair(batch, run, context)) renew.push(batch.number);
      }
      if (renew.length > 0) await context.index.requeue(run.id, renew);
      const last = batches.at(-1);
      if (last === undefined || batches.length < batchesAtOnce) break;
      after = last.number;
    }
  }
}

/** Whether the batch needs a new flow. */
async function repair(batch: Batch, run: Run, context: DispatchContext): Promise<boolean> {
  const queue = context.store.queue(indexQueue);
  const id = rootJobId({ ...batch, batch: batch.number, segmentCid: "" });
  const job = await queue.getJob(id);
  const state = job === undefined ? "unknown" : await job.getState();
  const gone = state === "unknown" || state === "failed" || state === "completed";
  // A flow completes once its batch has ended in the index, which may be since it was read.
  if (state === "completed" && !(await isQueued(batch, context))) return false;
  if (run.state === "cancelled" || batch.cancelReason !== undefined) {
    // Asked before its jobs are gone: a worker that takes one meanwhile locks it against removal.
    const mayRemove = gone || (await removalWasTaken(batch, context));
    // Removing fails while a worker holds one of its jobs: that worker cancels the rest itself.
    // What it answers above 0 differs: jobs that went (PostgreSQL), or one for the tree (Redis).
    const free = gone || (await queue.remove(id, { removeChildren: true })) > 0;
    const reason = batch.cancelReason ?? "the run was cancelled";
    // Its last commit may have come since the batch was read; from now on none can.
    if (free && (await isQueued(batch, context))) {
      await endBatch(batch, { outcome: "cancelled", reason }, context, mayRemove);
    }
    return false;
  }
  if (!gone) return false;
  // What a flow did may have gone with an index that was lost, and permits may have run out before
  // their turn, in a long pause or outside a window: neither is a defect, and both may happen again.
  const attemptsMax = state === "completed" ? completedFlowsMax : flowAttemptsMax;
  if (state === "unknown" || batch.attempt < attemptsMax) return true;
  const cause = state === "completed" ? endedNothing : await causeOf(batch, context);
  const message = `the job of its batch failed in ${batch.attempt} attempts: ${cause}`;
  await endBatch(batch, { outcome: "failed", code: "INTERNAL", message }, context);
  return false;
}

async function isQueued({ runId, number }: Batch, { index }: DispatchContext): Promise<boolean> {
  const [next] = await index.queuedBatches(runId, number - 1, 1);
  return next?.number === number;
}

/** Whether a worker may ever have begun to use the permits of this batch. */
async function removalWasTaken(batch: Batch, { store }: DispatchContext): Promise<boolean> {
  // Permits of an earlier attempt may have been used by the worker of that one.
  if (batch.victim === null || batch.attempt > 0) return batch.victim !== null;
  const id = stepJobId({ ...batch, batch: batch.number, segmentCid: "" }, "remove");
  const job = await store.queue(stepQueue(batch, "remove")).getJob(id);
  return job === undefined || job.attemptsStarted > 0;
}

const endedNothing =
  "its permits ran out before their turn each time, or what its jobs did never reached this index";

/** The reason of the earliest step that failed; those after it only say that it did. */
async function causeOf(batch: Batch, { store }: DispatchContext): Promise<string> {
  for (const step of stepsOf(batch)) {
    const queue = store.queue(stepQueue(batch, step));
    const data = { ...batch, batch: batch.number, segmentCid: "" };
    const job = await queue.getJob(stepJobId(data, step));
    if (job?.failedReason !== undefined) return job.failedReason;
  }
  return "its jobs are gone";
}
