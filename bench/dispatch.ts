// How a run of millions of actions goes through the queue: time from the plan to full lanes, the
// memory of the queue store meanwhile, batches per second against raw BullMQ flows with the same
// options, and objects per second against raw BullMQ with a job for each. Index, dispatcher and queue
// are the real ones; workers say at once that they have copied. Without `window` the whole run is
// watched, else so many seconds of it.
// The memory that counts is that of the queued batches: their results wait there to be committed.
//   node bench/dispatch.ts [actions = 1000000] [window = all]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "bullmq";
import { batchFlow } from "#jobs/batch-flow.ts";
import { commitsAtOnce, defaultQueuedPerLaneMax } from "#jobs/dispatcher.ts";
import { indexQueue, laneQueue, laneTiming } from "#jobs/lanes.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { StepResult } from "#jobs/step-job.ts";
import { batchObjectsMax } from "#model/run.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { dispatchRun, workersPerLane } from "./dispatched-run.ts";
import { makeLargeIndex } from "./large-index.ts";
import { rawObjects } from "./raw-objects.ts";
import { lanes, rawStep } from "./raw-step.ts";

const actions = Number(process.argv[2] ?? 1_000_000);
const windowMs = Number(process.argv[3] ?? Infinity) * 1_000;
const objectJobsMax = 30_000;
const MiB = 1024 * 1024;

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
      const run = await benchRun(server.url);
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
async function benchRun(url: string) {
  const run = await dispatchRun({ url, indexPath: madeIndex, folder, actions, windowMs });
  const { done, watchedMs } = run;
  console.log(
    `  begin a run of ${actions} actions ${seconds(run.beginMs)}; after that each of ` +
      `${lanes.length} lanes has work in ${seconds(run.servedMs)}, is full in ${seconds(run.fullMs)}`,
  );
  const eachMs = run.processorMs / (done / batchObjectsMax);
  console.log(
    `  ${done} actions in ${seconds(watchedMs)}: ${perSecond(done, watchedMs)} actions/s, ` +
      `${perSecond(done / batchObjectsMax, watchedMs)} batches/s, ` +
      `${eachMs.toFixed(1)} ms of processor time a batch, with what stands in for workers`,
  );
  console.log(
    `  queue store at most ${(run.queueBytes / MiB).toFixed(1)} MiB more than empty, ` +
      `${run.queuedMost} batches queued at most`,
  );
  return { batches: (done / batchObjectsMax / watchedMs) * 1_000, packed: run.packed };
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

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function perSecond(count: number, ms: number): string {
  return ((count * 1_000) / ms).toFixed(1);
}
