// How a run of millions of actions goes through the queue: time from the plan to full lanes, the
// memory of the queue store meanwhile, and batches per second against raw BullMQ flows with the
// same options. Index, dispatcher and queue are the real ones; workers say at once that they have
// copied. Without `window` the whole run is watched, else so many seconds of it.
// The memory that counts is that of the queued batches: their results wait there to be committed.
//   node bench/dispatch.ts [actions = 1000000] [window = all]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { ObjectIndex } from "#index/object-index.ts";
import { batchFlow } from "#jobs/batch-flow.ts";
import { defaultQueuedPerLaneMax, startDispatcher } from "#jobs/dispatcher.ts";
import { indexQueue, laneQueue, laneTiming } from "#jobs/lanes.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { pack, type StepJobData, type StepResult } from "#jobs/step-job.ts";
import { readSegment } from "#jobs/segment.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { BackendFacts } from "#model/index-store.ts";
import { planColumns, type Plan } from "#model/plan.ts";
import { batchObjectsMax, type CopyOutcome, type StepData } from "#model/run.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { QueueMemory } from "./queue-memory.ts";

const actions = Number(process.argv[2] ?? 1_000_000);
const windowMs = Number(process.argv[3] ?? Infinity) * 1_000;
const lanes = ["cold-1", "cold-2", "cold-3"];
const workersPerLane = 4;
const MiB = 1024 * 1024;
const start = new Date("2026-01-01T00:00:00Z");

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const indexPath = join(folder, "index.duckdb");
try {
  await makeIndex();
  for (const kind of queueServers) {
    if (kind.missing !== undefined) {
      console.log(`${kind.name}: skipped, ${kind.missing}`);
      continue;
    }
    const server = await kind.start();
    console.log(kind.name);
    try {
      await benchRun(server.url, kind.name);
      await benchRaw(server.url);
    } finally {
      await server.stop();
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The whole run, or a window of it, through the real dispatcher. */
async function benchRun(url: string, name: string): Promise<void> {
  const index = await ObjectIndex.open(indexPath, { threads: 2 });
  const queue = await openQueueStore({ url, namespace: "bench" });
  for (const lane of lanes) await queue.queue(laneQueue(lane)).waitUntilReady();
  await using memory = await QueueMemory.watch(url, "bench");
  try {
    const plan = await planOf(index, name);
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
    await fullLanes(queue);
    const full = performance.now();
    console.log(
      `  begin a run of ${actions} actions ${seconds(planned - begun)}, ` +
        `then all ${lanes.length} lanes full in ${seconds(full - planned)}`,
    );
    const { done, queuedMost } = await watchRun(index, queue);
    const took = performance.now() - full;
    console.log(
      `  ${done} actions in ${seconds(took)}: ${perSecond(done, took)} actions/s, ` +
        `${perSecond(done / batchObjectsMax, took)} batches/s`,
    );
    console.log(
      `  queue store at most ${(memory.most / MiB).toFixed(1)} MiB more than empty, ` +
        `${queuedMost} batches queued at most`,
    );
    await dispatcher.close();
  } finally {
    await queue.close();
    await index.close();
  }
}

/** Consumes the lanes until the run, or the time to watch it, is over. */
async function watchRun(index: ObjectIndex, queue: QueueStore) {
  for (const lane of lanes) {
    queue.worker<StepJobData, StepResult>(
      laneQueue(lane),
      async ({ data }) => ({ packed: await pack(await copied(index, data)) }),
      { ...laneTiming, concurrency: workersPerLane },
    );
  }
  const until = performance.now() + windowMs;
  let queuedMost = 0;
  for (;;) {
    await sleep(250);
    queuedMost = Math.max(queuedMost, await queued(index));
    const run = (await index.runs()).at(-1);
    if (run === undefined) throw new Error("the run is gone");
    if (run.endedAt !== undefined || performance.now() > until) {
      return { done: run.progress.done, queuedMost };
    }
  }
}

/** Batches that the dispatcher let into the queue and that have not ended. */
async function queued(index: ObjectIndex): Promise<number> {
  const run = (await index.runs()).at(-1);
  const groups = await index.workGroups(run?.id ?? "");
  return groups.reduce((sum, group) => sum + group.queued, 0);
}

/** What a worker would say that found all its bytes well. */
async function copied(index: ObjectIndex, step: StepData): Promise<readonly CopyOutcome[]> {
  const bytes = await index.segment(step.planCid, step.from, step.to);
  return readSegment(bytes, step).map(({ sequence, object: { cid, size } }) => ({
    sequence,
    outcome: "done",
    moved: true,
    copy: { locator: `${cid.slice(-2)}/${cid}`, form: "file", bytes: size },
    evidence: {
      backend: step.target ?? "",
      cid,
      finding: "present",
      confidence: "verified",
      method: "bench",
      checkedAt: start.toISOString(),
      bytesRead: size,
    },
  }));
}

/** The same flows, no index, no dispatcher, nothing done: what the queue alone can do. */
async function benchRaw(url: string): Promise<void> {
  const flows = Math.min(2_000, Math.ceil(actions / batchObjectsMax));
  const queue = await openQueueStore({ url, namespace: "raw" });
  try {
    const made = Array.from({ length: flows }, (_, batch) => batchFlow(rawStep(batch)));
    let ended = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const settings = { ...laneTiming, concurrency: workersPerLane };
    for (const lane of lanes) queue.worker(laneQueue(lane), async () => ({ packed: "" }), settings);
    queue
      .worker(indexQueue, async () => ({ packed: "" }), { ...laneTiming, concurrency: 2 })
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
  } finally {
    await queue.close();
  }
}

function rawStep(batch: number): StepData {
  return {
    runId: "run-raw",
    planCid: "bench-plan",
    segmentCid: "bafkreib3yoto4o2bz5ybpjeq4ubb4ffyjbhmvtc4xs5pn5vmbfrlpedoja",
    attempt: 0,
    batch,
    from: batch * batchObjectsMax,
    to: (batch + 1) * batchObjectsMax,
    policy: "bench",
    verb: "replicate",
    source: "hot",
    target: lanes[batch % lanes.length] ?? "",
    victim: null,
  };
}

/** Waits until each lane has as many jobs as it may. */
async function fullLanes(queue: QueueStore): Promise<void> {
  const wanted = Math.min(
    defaultQueuedPerLaneMax,
    Math.floor(actions / batchObjectsMax / lanes.length),
  );
  for (;;) {
    const counts = await Promise.all(
      lanes.map((lane) => queue.queue(laneQueue(lane)).getWaitingCount()),
    );
    if (counts.every((count) => count >= wanted)) return;
    await sleep(5);
  }
}

/** Rows as the index writes them, without the millions of calls that would bring them there. */
async function makeIndex(): Promise<void> {
  const empty = await ObjectIndex.open(indexPath, { threads: 2 });
  await empty.syncBackends(["hot", ...lanes].map((name) => facts(name)));
  await empty.close();
  const instance = await DuckDBInstance.create(indexPath, { threads: "2", memory_limit: "2GiB" });
  const connection = await instance.connect();
  await connection.run(`INSERT INTO objects BY NAME
    SELECT range AS object_id, (hash(range) >> 1)::BIGINT AS cid_key,
      unhex('01551220' || sha256(range::VARCHAR)) AS cid, 4096 AS size,
      'unixfs-v1-2025' AS profile, '/data/' || range AS path, 1 AS names,
      '2026-01-01'::TIMESTAMP AS created, created AS ingested, 0 AS reads, 0.5 AS heat_weight,
      1 AS present_mask, 1 AS listed_mask, 1 AS sampled_mask, 1 AS verified_mask,
      0 AS in_flight_mask, created AS oldest_verified, false AS held
    FROM range(${actions})`);
  await connection.run(`INSERT INTO copies BY NAME
    SELECT range AS object_id, 0 AS backend_id, 'file' AS form, 'hot/' || range AS locator,
      'present' AS state, 4096 AS bytes, 'verified' AS confidence,
      '2026-01-01'::TIMESTAMP AS checked_at, checked_at AS verified_at
    FROM range(${actions})`);
  await connection.run(`UPDATE counters SET next_object = ${actions}`);
  await connection.run("CHECKPOINT");
  connection.closeSync();
  instance.closeSync();
}

/** Every object to one of the lanes, in stretches, as a plan that is ordered by target has them. */
async function planOf(index: ObjectIndex, name: string): Promise<Plan> {
  await using session = await index.session();
  const rowsPath = join(folder, "plan.parquet");
  const columns = planColumns.map(([column]) => column).join(", ");
  const perLane = Math.ceil(actions / lanes.length);
  const text = `SELECT ${columns} FROM (
    SELECT object_id AS sequence, 'replicate' AS verb, object_id, cid, size, profile, 0 AS source,
      (1 + object_id // ${perLane})::INTEGER AS target, NULL::INTEGER AS victim,
      'bench/copy' AS rule, 'bench' AS reason, '[]' AS requirements
    FROM object) ORDER BY sequence`;
  await session.exportParquet({ text, parameters: [] }, rowsPath);
  const totals = { actions, objects: actions, bytesMoved: 0, bytesFreed: 0, groups: [] };
  const header = {
    schemaVersion: 1,
    engine: "bench",
    policies: {},
    indexVersion: 0,
    inventory: "",
    rows: "",
    totals,
    guards: [],
    blocked: [],
  } as const;
  const cid = `bench-plan-on-${name.replaceAll(" ", "-")}`;
  return { cid, evaluatedAt: start.toISOString(), header, rowsPath };
}

function facts(name: string): BackendFacts {
  return {
    name,
    driver: "local",
    tier: "hot",
    region: undefined,
    labels: {},
    capacityBytes: undefined,
    price: freeOfCharge,
    capabilities: {
      forms: ["file"],
      operations: ["read", "write", "remove"],
      confidence: ["verified"],
      ranges: "bytes",
      create: "atomic",
      bytesMax: undefined,
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

function perSecond(count: number, ms: number): string {
  return ((count * 1_000) / ms).toFixed(1);
}
