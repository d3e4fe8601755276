import { openQueueStore } from "#jobs/open-queue-store.ts";
import { queueServers } from "../../test/conformance/queue-servers.ts";
import { dispatchRun } from "../dispatched-run.ts";
import { enqueueWays, jobsMade } from "../enqueue-ways.ts";
import { makeLargeIndex } from "../large-index.ts";
import { rawObjects } from "../raw-objects.ts";
import { lanes } from "../raw-step.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";

/** How long a run is watched at most. */
const windowMs = 20_000;
const objectJobsMax = 30_000;
/** What goals allow: until all lanes have work, and what a queue store holds for it. */
const allowedSeconds = 1;
const allowedBytes = 20_000_000;

export default {
  name: "dispatch",
  about: "runs through a queue, against its own jobs, one for each object",
  rounds: 3,
  prepare: ({ folder, objects }) => makeLargeIndex(`${folder}/index.duckdb`, objects, lanes),
  async measure(bench) {
    // The one that most people run, where it is installed; `node bench/dispatch.ts` takes all.
    const kind = queueServers.toReversed().find(({ missing }) => missing === undefined);
    if (kind === undefined) throw new Error("no queue server is installed");
    const server = await kind.start();
    try {
      return [await compareEnqueuing(bench, server.url), ...(await compareRuns(bench, server.url))];
    } finally {
      await server.stop();
    }
  },
} satisfies Benchmark;

async function compareEnqueuing(bench: Workbench, url: string): Promise<Measurement> {
  const queue = await openQueueStore({ url, namespace: "enqueue" });
  let round = 0;
  const add = async (way: string): Promise<void> => {
    round += 1;
    await enqueueWays(queue, round).get(way)?.();
  };
  try {
    return await compare({
      what: "jobs of batches enqueued",
      rounds: bench.rounds,
      rows: jobsMade,
      ours: () => add("batches, as flows of two jobs"),
      peer: () => add("raw jobs"),
      peerName: "raw addBulk(1000)",
      goal: 0.9,
    });
  } finally {
    await queue.close();
  }
}

/** One run: from its plan to full lanes, and as far as it comes. */
async function compareRuns(bench: Workbench, url: string): Promise<readonly Measurement[]> {
  bench.allow("1GiB");
  const run = await dispatchRun({
    url,
    indexPath: bench.path("index.duckdb"),
    folder: bench.folder,
    actions: bench.objects,
    windowMs,
  });
  const queue = await openQueueStore({ url, namespace: "objects" });
  try {
    const raw = await rawObjects(queue, Math.min(objectJobsMax, bench.objects));
    return [
      counted({
        what: "from a run that has begun to work on all lanes",
        ours: run.servedMs / 1_000,
        peer: allowedSeconds,
        peerName: "what is allowed",
        unit: "s",
        better: "less",
        goal: 1,
      }),
      counted({
        what: "memory of the queue store",
        ours: run.queueBytes,
        peer: allowedBytes,
        peerName: "what is allowed",
        unit: "B",
        better: "less",
        goal: 1,
      }),
      counted({
        what: "objects copied and recorded",
        ours: (run.done * 1_000) / run.watchedMs,
        peer: raw.perSecond,
        peerName: "raw no-op jobs, one an object",
        unit: "objects/s",
        better: "more",
        goal: 0.8,
      }),
    ];
  } finally {
    await queue.close();
  }
}
