import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultQueuedPerLaneMax } from "#jobs/dispatcher.ts";
import { indexQueue, laneQueue } from "#jobs/lanes.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { Stage } from "./stage.ts";

/** The most that was seen of what must stay bounded, and how work goes on. */
export interface Gauges {
  /** Jobs in all queues together: waiting, active, delayed, or waiting for another. */
  queuedJobs: number;
  /** Resident memory of each node, in MiB. */
  readonly memoryMib: Map<string, number>;
  /** Actions that ended so far. */
  actions: number;
  /** When that number last grew. */
  grewAt: number;
  /** The longest time in which no action ended. */
  standstillMs: number;
}

/** Nothing seen yet. */
export function newGauges(): Gauges {
  const grewAt = Date.now();
  return { queuedJobs: 0, memoryMib: new Map(), actions: 0, grewAt, standstillMs: 0 };
}

/** A flow has at most four jobs; each lane begins a bounded number of flows. */
export function queuedJobsBound(stage: Stage): number {
  return 4 * defaultQueuedPerLaneMax * queueNames(stage).length;
}

function queueNames({ backends }: Stage): readonly string[] {
  return [indexQueue, ...backends.map(laneQueue)];
}

const memoryEveryMs = 2_000;
const queueEveryMs = 5_000;
const answerTimeoutMs = 3_000;
/** Longer than any rest between two tries. */
const emptyWithinMs = 3 * 60_000;

/** Looks at queues, memory and progress until the signal. */
export async function watchGauges(
  stage: Stage,
  gauges: Gauges,
  signal: AbortSignal,
): Promise<void> {
  let lookedAt = 0;
  while (!signal.aborted) {
    for (const node of stage.nodes) {
      const before = gauges.memoryMib.get(node.name) ?? 0;
      gauges.memoryMib.set(node.name, Math.max(before, await memoryMib(node.pid)));
    }
    if (Date.now() - lookedAt >= queueEveryMs) {
      lookedAt = Date.now();
      const jobs = await countJobs(stage).catch(() => undefined);
      gauges.queuedJobs = Math.max(gauges.queuedJobs, jobs ?? 0);
      await countActions(stage, gauges);
    }
    await sleep(memoryEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

/** While nobody answers, the standstill goes on. */
async function countActions(stage: Stage, gauges: Gauges): Promise<void> {
  const runs = await stage
    .api()
    .then((api) => api.runs())
    .catch(() => []);
  let actions = 0;
  for (const { progress } of runs) actions += progress.actions - progress.remaining;
  if (actions > gauges.actions) {
    gauges.grewAt = Date.now();
    gauges.actions = actions;
  }
  gauges.standstillMs = Math.max(gauges.standstillMs, Date.now() - gauges.grewAt);
}

/**
 * How many jobs are left once all runs have ended: a step of a cancelled run that rests before
 * its next try ends when it wakes.
 */
export async function awaitEmptyQueues(stage: Stage): Promise<number | undefined> {
  const deadline = Date.now() + emptyWithinMs;
  for (;;) {
    const jobs = await countJobs(stage);
    if (jobs === 0 || Date.now() > deadline) return jobs;
    await sleep(queueEveryMs);
  }
}

/** Jobs in all queues now; undefined when the queue store does not answer. */
export async function countJobs(stage: Stage): Promise<number | undefined> {
  const url = await stage.queue.directUrl();
  if (url === undefined) return undefined;
  const store = await openQueueStore({ url, namespace: "thermocline" });
  const late = sleep(answerTimeoutMs, undefined);
  try {
    return await Promise.race([jobsIn(store, queueNames(stage)), late]);
  } finally {
    await Promise.race([store.close(), sleep(answerTimeoutMs)]);
  }
}

async function jobsIn(store: QueueStore, queues: readonly string[]): Promise<number> {
  let jobs = 0;
  for (const name of queues) {
    const counts = await store
      .queue(name)
      .getJobCounts("waiting", "active", "delayed", "prioritized", "waiting-children");
    for (const count of Object.values(counts)) jobs += count;
  }
  return jobs;
}

/** Linux tells it; elsewhere it stays unknown (0). */
async function memoryMib(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, "utf8").catch(() => "");
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
}
