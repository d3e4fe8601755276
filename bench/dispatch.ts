// How a run of millions of actions goes through the queue: time from the plan to full lanes, the
// memory of the queue store meanwhile, batches per second against raw BullMQ flows with the same
// options, and objects per second against raw BullMQ with a job for each. Index, dispatcher and queue
// are the real ones; workers say at once that they have copied. Without `window` the whole run is
// watched, else so many seconds of it.
// The memory that counts is that of the queued batches: their results wait there to be committed.
//   node bench/dispatch.ts [actions = 1000000] [window = all]
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "bullmq";
import { ObjectIndex } from "#index/object-index.ts";
import { batchFlow } from "#jobs/batch-flow.ts";
import { commitsAtOnce, defaultQueuedPerLaneMax, startDispatcher } from "#jobs/dispatcher.ts";
import { indexQueue, laneQueue, laneTiming } from "#jobs/lanes.ts";
import type { CopyReport } from "#jobs/copy-report.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { pack, type StepJobData, type StepResult } from "#jobs/step-job.ts";
import { batchObjectsMax } from "#model/run.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { copiedOutcomes } from "./copied-outcomes.ts";
import { copyPlan } from "./copy-plan.ts";
import { makeLargeIndex } from "./large-index.ts";
import { QueueMemory } from "./queue-memory.ts";
import { rawObjects } from "./raw-objects.ts";
import { lanes, rawStep } from "./raw-step.ts";

const actions = Number(process.argv[2] ?? 1_000_000);
const windowMs = Number(process.argv[3] ?? Infinity) * 1_000;
const workersPerLane = 4;
const objectJobsMax = 30_000;
const MiB = 1024 * 1024;
const start = new Date("2026-01-01T00:00:00Z");

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const madeIndex = join(folder, "made.duckdb");
try {
  await makeLargeIndex(madeIndex, actions, lanes);
  for (const kind of queueServers) {
    if (kind.missing !== undefined) {
      console.log(`${kind.name}: skipped, ${kind.missing}`);
      continue;
    }
    const server = await kind.start();
    console.log(kind.name);
    try {
      const run = await benchRun(server.url, kind.name);
      const raw = await benchRaw(server.url, run.packed);
      console.log(`  end to end ${(run.batches / raw).toFixed(2)}x of raw flows of batches`);
      await benchObjects(server.url, run.batches * batchObjectsMax);
    } finally {
      await server.stop();
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The whole run, or a window of it, through the real dispatcher: batches per second. */
async function benchRun(url: string, name: string) {
  // An index of its own: objects that another run has copied would be done at once.
  const indexPath = join(folder, `${name.replaceAll(" ", "-")}.duckdb`);
  await copyFile(madeIndex, indexPath);
  const index = await ObjectIndex.open(indexPath, { threads: 2 });
  const queue = await openQueueStore({ url, namespace: "bench" });
  for (const lane of lanes) await queue.queue(laneQueue(lane)).waitUntilReady();
  await using memory = await QueueMemory.watch(url, "bench");
  try {
    // In stretches, as a plan that is ordered by target has them.
    const perLane = Math.ceil(actions / lanes.length);
    const plan = await copyPlan(index, {
      cid: `bench-plan-on-${name.replaceAll(" ", "-")}`,
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
      heldByPolicy: async () => new Set(),
      onError: (error) => {
        console.error(error.message);
      },
    });
    await jobsOnLanes(queue, 1);
    const served = performance.now();
    await jobsOnLanes(queue, defaultQueuedPerLaneMax);
    const full = performance.now();
    console.log(
      `  begin a run of ${actions} actions ${seconds(planned - begun)}; after that each of ` +
        `${lanes.length} lanes has work in ${seconds(served - planned)}, ` +
        `is full in ${seconds(full - planned)}`,
    );
    const used = process.cpuUsage();
    const { done, queuedMost, packed } = await watchRun(index, queue);
    const took = performance.now() - full;
    const { user, system } = process.cpuUsage(used);
    const eachMs = (user + system) / 1_000 / (done / batchObjectsMax);
    console.log(
      `  ${done} actions in ${seconds(took)}: ${perSecond(done, took)} actions/s, ` +
        `${perSecond(done / batchObjectsMax, took)} batches/s, ` +
        `${eachMs.toFixed(1)} ms of processor time a batch, with what stands in for workers`,
    );
    console.log(
      `  queue store at most ${(memory.most / MiB).toFixed(1)} MiB more than empty, ` +
        `${queuedMost} batches queued at most`,
    );
    await dispatcher.close();
    return { batches: (done / batchObjectsMax / took) * 1_000, packed };
  } finally {
    await queue.close();
    await index.close();
  }
}

/** Consumes the lanes until the run, or the time to watch it, is over. */
async function watchRun(index: ObjectIndex, queue: QueueStore) {
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

/** The same flows and results, no index, no dispatcher: flows per second of the queue alone. */
async function benchRaw(url: string, packed: string): Promise<number> {
  const flows = Math.min(2_000, Math.ceil(actions / batchObjectsMax));
  const queue = await openQueueStore({ url, namespace: "raw" });
  try {
    const made = Array.from({ length: flows }, (_, batch) => batchFlow(rawStep("run-raw", batch)));
    let ended = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const settings = { ...laneTiming, concurrency: workersPerLane };
    for (const lane of lanes) queue.worker(laneQueue(lane), async () => ({ packed }), settings);
    queue
      .worker(indexQueue, takeResults, { ...laneTiming, concurrency: commitsAtOnce })
      .on("completed", () => {
        ended += 1;
        if (ended === flows) resolve();
      });
    const begun = performance.now();
    for (let at = 0; at < flows; at += defaultQueuedPerLaneMax) {
      await queue.flows().addBulk(made.slice(at, at + defaultQueuedPerLaneMax));
    }
    await promise;
    const took = performance.now() - begun;
    console.log(`  raw BullMQ: ${flows} such flows, ${perSecond(flows, took)} flows/s`);
    return (flows / took) * 1_000;
  } finally {
    await queue.close();
  }
}

/** One job for each object instead, as raw BullMQ would have it: objects per second. */
async function benchObjects(url: string, ours: number): Promise<void> {
  const queue = await openQueueStore({ url, namespace: "objects" });
  try {
    const raw = await rawObjects(queue, Math.min(objectJobsMax, actions));
    console.log(
      `  raw BullMQ, one no-op job for each of ${raw.objects} objects: ` +
        `${Math.round(raw.perSecond)} objects/s, ` +
        `${(raw.processorEach * 1_000).toFixed(2)} ms of processor time each; ` +
        `end to end ${(ours / raw.perSecond).toFixed(2)}x of that`,
    );
  } finally {
    await queue.close();
  }
}

/** What is left of a commit without an index. */
async function takeResults(job: Job): Promise<StepResult> {
  await job.getChildrenValues();
  return { packed: "" };
}

/** Waits until each lane has so many jobs, or all that the run has for it. */
async function jobsOnLanes(queue: QueueStore, most: number): Promise<void> {
  const wanted = Math.min(most, Math.floor(actions / batchObjectsMax / lanes.length));
  for (;;) {
    const counts = await Promise.all(
      lanes.map((lane) => queue.queue(laneQueue(lane)).getWaitingCount()),
    );
    if (counts.every((count) => count >= wanted)) return;
    await sleep(5);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function perSecond(count: number, ms: number): string {
  return ((count * 1_000) / ms).toFixed(1);
}
