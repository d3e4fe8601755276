import { setTimeout as sleep } from "node:timers/promises";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { ObjectIndex } from "#index/object-index.ts";
import type { CopyReport } from "#jobs/copy-report.ts";
import { defaultQueuedPerLaneMax, startDispatcher } from "#jobs/dispatcher.ts";
import { laneQueue, laneTiming } from "#jobs/lanes.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { pack, type StepJobData, type StepResult } from "#jobs/step-job.ts";
import { batchObjectsMax } from "#model/run.ts";
import { copiedOutcomes } from "./copied-outcomes.ts";
import { copyPlan } from "./copy-plan.ts";
import { QueueMemory } from "./queue-memory.ts";
import { lanes } from "./raw-step.ts";

/** Batches that workers of a lane have at a time. */
export const workersPerLane = 4;

export interface DispatchRequest {
  /** Of the queue store. */
  readonly url: string;
  /** An index of `makeLargeIndex`, which stays as it is. */
  readonly indexPath: string;
  /** For a copy of it, and for the plan. */
  readonly folder: string;
  readonly actions: number;
  /** How long the run is watched at most, in milliseconds. */
  readonly windowMs: number;
}

/** Times in milliseconds. */
export interface DispatchedRun {
  /** From the plan to a run that has begun. */
  readonly beginMs: number;
  /** From there until each lane has work, and until each has all it may have. */
  readonly servedMs: number;
  readonly fullMs: number;
  /** Actions that were recorded while it was watched, and how long that was. */
  readonly done: number;
  readonly watchedMs: number;
  /** Of this process meanwhile. */
  readonly processorMs: number;
  /** What the queue store held at most beyond what it needs empty. */
  readonly queueBytes: number;
  readonly queuedMost: number;
  /** What a worker said of a batch, as it went through the queue. */
  readonly packed: string;
}

const start = new Date("2026-01-01T00:00:00Z");

/**
 * A run of copies, or a window of it, through the real index, dispatcher and queue; workers say at
 * once that they have copied.
 */
export async function dispatchRun(request: DispatchRequest): Promise<DispatchedRun> {
  const { url, folder, actions, windowMs } = request;
  // An index of its own: objects that another run has copied would be done at once.
  const name = `dispatched-by-${url.split(":", 1).join("")}`;
  const indexPath = join(folder, `${name}.duckdb`);
  await copyFile(request.indexPath, indexPath);
  const index = await ObjectIndex.open(indexPath, { threads: 2 });
  const queue = await openQueueStore({ url, namespace: "bench" });
  try {
    for (const lane of lanes) await queue.queue(laneQueue(lane)).waitUntilReady();
    await using memory = await QueueMemory.watch(url, "bench");
    // In stretches, as a plan that is ordered by target has them.
    const perLane = Math.ceil(actions / lanes.length);
    const plan = await copyPlan(index, {
      cid: name,
      actions,
      target: `1 + object_id // ${perLane}`,
      folder,
      evaluatedAt: start.toISOString(),
    });
    const begun = performance.now();
    await index.beginRun(plan, start);
    const planned = performance.now();
    const dispatcher = await startDispatcher({
      store: queue,
      index,
      drivers: new Map(),
      askPolicies: async () => new Map(),
      onError: (error) => {
        console.error(error.message);
      },
    });
    try {
      await jobsOnLanes(queue, actions, 1);
      const served = performance.now();
      await jobsOnLanes(queue, actions, defaultQueuedPerLaneMax);
      const full = performance.now();
      const used = process.cpuUsage();
      const watched = await watchRun(index, queue, windowMs);
      const watchedMs = performance.now() - full;
      const { user, system } = process.cpuUsage(used);
      return {
        beginMs: planned - begun,
        servedMs: served - planned,
        fullMs: full - planned,
        ...watched,
        watchedMs,
        processorMs: (user + system) / 1_000,
        queueBytes: memory.most,
      };
    } finally {
      await dispatcher.close();
    }
  } finally {
    await queue.close();
    await index.close();
  }
}

/** Consumes the lanes until the run, or the time to watch it, is over. */
async function watchRun(index: ObjectIndex, queue: QueueStore, windowMs: number) {
  let packed = "";
  const copy = async ({ data }: { readonly data: StepJobData }): Promise<StepResult> => {
    const { segmentCid } = data;
    packed = await pack({
      segmentCid,
      outcomes: await copiedOutcomes(index, data),
    } satisfies CopyReport);
    return { packed };
  };
  for (const lane of lanes) {
    const settings = { ...laneTiming, concurrency: workersPerLane };
    queue.worker<StepJobData, StepResult>(laneQueue(lane), copy, settings);
  }
  const until = performance.now() + windowMs;
  let queuedMost = 0;
  for (;;) {
    await sleep(250);
    queuedMost = Math.max(queuedMost, await queued(index));
    const run = (await index.runs()).at(-1);
    if (run === undefined) throw new Error("the run is gone");
    if (run.endedAt !== undefined || performance.now() > until) {
      return { done: run.progress.done, queuedMost, packed };
    }
  }
}

/** Batches that the dispatcher let into the queue and that have not ended. */
async function queued(index: ObjectIndex): Promise<number> {
  const run = (await index.runs()).at(-1);
  const groups = await index.workGroups(run?.id ?? "");
  return groups.reduce((sum, group) => sum + group.queued, 0);
}

/** Waits until each lane has so many jobs, or all that the run has for it. */
async function jobsOnLanes(queue: QueueStore, actions: number, most: number): Promise<void> {
  const wanted = Math.min(most, Math.floor(actions / batchObjectsMax / lanes.length));
  for (;;) {
    const counts = await Promise.all(
      lanes.map((lane) => queue.queue(laneQueue(lane)).getWaitingCount()),
    );
    if (counts.every((count) => count >= wanted)) return;
    await sleep(5);
  }
}
