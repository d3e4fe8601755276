// A whole run (index, dispatcher, queue, worker, local stores) against a plain loop that copies
// and hashes the same files, both sides in one run, medians. The engine reads back what it wrote;
// the second bare loop does so too. Nobody forces anything to disk. TMPDIR says which disk.
// There is enough of each size that the start of worker and dispatcher counts for little.
// Where others use the machine, the processor time of this process is the better ratio.
//   node bench/replicate.ts [rounds = 3] [queue = all] [KiB of the objects = all]
import { randomFillSync } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ObjectIndex } from "#index/object-index.ts";
import { startDispatcher } from "#jobs/dispatcher.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import { startWorker } from "#jobs/worker.ts";
import type { Driver } from "#model/driver.ts";
import type { NewObject } from "#model/index-store.ts";
import type { PolicyWords } from "#model/policy-word.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { nodeReport } from "../test/conformance/test-engine.ts";
import { LocalStores } from "../test/jobs/local-stores.ts";
import { blockingCopy, promisedCopy } from "./bare-copy.ts";
import { copyPlan, localFacts } from "./copy-plan.ts";
import { type Cost, costOf, median } from "./median.ts";
import { undescribed } from "../test/index/undescribed.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const rounds = Number(process.argv[2] ?? 3);
const only = process.argv[3];
const onlyKiB = process.argv[4];
const kinds = [
  { size: 4 * KiB, objects: 20_000 },
  { size: MiB, objects: 1_000 },
  { size: 64 * MiB, objects: 32 },
].filter(({ size }) => onlyKiB === undefined || size === Number(onlyKiB) * KiB);
const start = new Date("2026-01-01T00:00:00Z");
/** Each run has queues of its own: another index with the same plan would meet its jobs there. */
let queues = 0;
const nameless = { names: [], ...undescribed } as const;

for (const kind of queueServers) {
  if (only !== undefined && !kind.name.toLowerCase().includes(only)) continue;
  if (kind.missing !== undefined) {
    console.log(`${kind.name}: skipped, ${kind.missing}`);
    continue;
  }
  const server = await kind.start();
  console.log(kind.name);
  try {
    for (const { size, objects } of kinds) await benchSize(server.url, size, objects);
  } finally {
    await server.stop();
  }
}

async function benchSize(url: string, size: number, count: number): Promise<void> {
  await using stores = await LocalStores.open();
  const bare = join(stores.folder, "bare");
  await mkdir(bare);
  const targets = Array.from({ length: rounds }, (_, round) => `cold-${round + 1}`);
  const index = await ObjectIndex.open(join(stores.folder, "index.duckdb"), { threads: 2 });
  await index.syncBackends(["hot", ...targets].map((name) => localFacts(name)));
  await index.putObjects(await fill(stores, bare, size, count), start);
  const took: Record<"plain" | "promised" | "blocking" | "run", Cost[]> = {
    plain: [],
    promised: [],
    blocking: [],
    run: [],
  };
  try {
    for (const target of targets) {
      took.plain.push(await costOf(() => blockingCopy(bare, count, false)));
      took.promised.push(await costOf(() => promisedCopy(bare, count, true)));
      took.blocking.push(await costOf(() => blockingCopy(bare, count, true)));
      took.run.push(await runPlan(url, index, stores, target, count));
      await rm(join(stores.folder, target), { recursive: true });
    }
  } finally {
    await index.close();
  }
  const run = medians(took.run);
  console.log(
    `  ${size / KiB} KiB × ${count}: run ${speed(count, size, run.seconds)} ` +
      `(runs ${took.run.map(({ seconds }) => seconds.toFixed(2)).join(" ")} s), ` +
      `processor time ${run.processor.toFixed(2)} s`,
  );
  for (const [name, costs] of [
    ["copy+hash, blocking", took.plain],
    ["copy+hash+read back+hash, blocking", took.blocking],
    ["the same with promises, 8 at once", took.promised],
  ] as const) {
    const bareCost = medians(costs);
    console.log(
      `    ${name}: ${speed(count, size, bareCost.seconds)}; the run takes ` +
        `${(run.seconds / bareCost.seconds).toFixed(2)}x of it, processor time ` +
        `${(run.processor / bareCost.processor).toFixed(2)}x`,
    );
  }
}

function medians(costs: readonly Cost[]): Cost {
  return {
    seconds: median(costs.map(({ seconds }) => seconds)),
    processor: median(costs.map(({ processor }) => processor)),
  };
}

async function fill(stores: LocalStores, bare: string, size: number, count: number) {
  const bytes = Buffer.alloc(size);
  const objects: NewObject[] = [];
  for (let at = 0; at < count; at += 1) {
    randomFillSync(bytes);
    const { object, copy } = await stores.put("hot", bytes);
    await writeFile(join(bare, `${at}`), bytes);
    const held = { backend: "hot", copy, state: "present", confidence: "verified" } as const;
    objects.push({ ...nameless, ...object, copies: [{ ...held, checkedAt: start }] });
  }
  return objects;
}

/** What it costs from the plan to the end of its run. */
async function runPlan(
  url: string,
  index: ObjectIndex,
  stores: LocalStores,
  target: string,
  actions: number,
): Promise<Cost> {
  const names = ["hot", target];
  const drivers = new Map<string, Driver>();
  for (const name of names) drivers.set(name, await stores.driver(name));
  queues += 1;
  const store = await openQueueStore({ url, namespace: `bench_${queues}` });
  const worker = await startWorker({
    store,
    node: nodeReport(names),
    drivers,
    api: {
      segment: (planCid, from, to) => index.segment(planCid, from, to),
      stepControls: async (steps) => steps.map(() => ({ control: "run" })),
      heartbeat: async () => ({ at: new Date().toISOString() }),
    },
    onError,
  });
  const ended = Promise.withResolvers<void>();
  const onRunEnded = () => {
    ended.resolve();
  };
  const options = { store, index, drivers, askPolicies, onRunEnded, onError };
  const dispatcher = await startDispatcher(options);
  const folder = stores.folder;
  const id = (await index.backends()).find(({ name }) => name === target)?.id;
  const facts = { cid: `bench-${target}`, actions, target: String(id), folder };
  const plan = await copyPlan(index, { ...facts, evaluatedAt: start.toISOString() });
  const cost = await costOf(async () => {
    await index.beginRun(plan, start);
    dispatcher.wake();
    await ended.promise;
  });
  await dispatcher.close();
  await worker.close();
  await store.close();
  const done = (await index.runs()).at(-1)?.progress.done;
  if (done !== actions) throw new Error(`${done} of ${actions} objects were copied`);
  return cost;
}

function onError(error: Error): void {
  console.error(error.message);
}

async function askPolicies(): Promise<PolicyWords> {
  return new Map();
}

function speed(count: number, size: number, seconds: number): string {
  return size < MiB
    ? `${Math.round(count / seconds)} objects/s`
    : `${Math.round((count * size) / MiB / seconds)} MiB/s`;
}
