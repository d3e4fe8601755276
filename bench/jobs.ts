import { createHash, randomFillSync } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FlowJob } from "bullmq";
import { batchFlow } from "#jobs/batch-flow.ts";
import { stepDataOf } from "#jobs/dispatch-context.ts";
import type { ObjectRef } from "#model/copy.ts";
import { batchBytesMax, batchObjectsMax } from "#model/run.ts";
import { queueServers } from "../test/conformance/queue-servers.ts";
import { TestEngine } from "../test/conformance/test-engine.ts";

/**
 * What the queue costs: flows enqueued against raw BullMQ jobs, and a whole run (dispatch, copy,
 * verify, commit) against a bare loop that does the same file work, each pair in one run. The
 * engine reads back what it wrote; the second bare loop does so too. Set TMPDIR to a memory disk
 * to keep the disk out of it.
 */
const KiB = 1024;
const MiB = 1024 * KiB;
const enqueued = 10_000;
const rounds = [
  { size: 4 * KiB, objects: 4_000 },
  { size: 64 * KiB, objects: 2_000 },
  { size: MiB, objects: 256 },
  { size: 16 * MiB, objects: 16 },
];

for (const kind of queueServers) {
  if (kind.missing !== undefined) {
    console.log(`${kind.name}: skipped, ${kind.missing}`);
    continue;
  }
  const server = await kind.start();
  console.log(kind.name);
  await benchEnqueue(server.url);
  for (const round of rounds) await benchReplicate(server.url, round.size, round.objects);
  await server.stop();
}

async function benchEnqueue(url: string): Promise<void> {
  await using engine = await TestEngine.open(url);
  const { object } = await engine.stores.put("hot", Buffer.from("one"));
  const raw = engine.queue.queue("raw");
  await raw.waitUntilReady();
  const rawSeconds = await secondsOf(async () => {
    for (let at = 0; at < enqueued; at += 1_000) {
      const jobs = Array.from({ length: 1_000 }, (_, job) => ({
        name: "copy",
        data: { planCid: object.cid, from: at + job, to: at + job + 1 },
      }));
      await raw.addBulk(jobs);
    }
  });
  const flows = enqueued / 2;
  engine.index.begin(
    "run",
    Array.from({ length: flows }, () => replicate([object])),
  );
  const made: FlowJob[] = [];
  for (const batch of await engine.index.pendingBatches("run", "cold", flows)) {
    made.push(batchFlow(await stepDataOf(batch, engine.index)));
  }
  const flowSeconds = await secondsOf(async () => {
    for (let at = 0; at < flows; at += 500) {
      await engine.queue.flows().addBulk(made.slice(at, at + 500));
    }
  });
  console.log(
    `  enqueue: raw addBulk(1000) ${rate(rawSeconds)}, ` +
      `flows of two jobs ${rate(flowSeconds)} (${ratio(rawSeconds / flowSeconds)})`,
  );
}

async function benchReplicate(url: string, size: number, count: number): Promise<void> {
  await using engine = await TestEngine.open(url);
  const objects: ObjectRef[] = [];
  const bytes = Buffer.alloc(size);
  const bare = join(engine.stores.folder, "bare");
  await mkdir(bare);
  for (let at = 0; at < count; at += 1) {
    randomFillSync(bytes);
    const { object } = await engine.stores.put("hot", bytes);
    objects.push(object);
    engine.index.hold(object, "hot", new Date().toISOString());
    await writeFile(join(bare, `${at}`), bytes);
  }
  const once = await secondsOf(() => bareLoop(bare, count, false));
  const twice = await secondsOf(() => bareLoop(bare, count, true));
  const perBatch = Math.max(1, Math.min(batchObjectsMax, Math.floor(batchBytesMax / size)));
  const parts = [];
  for (let at = 0; at < count; at += perBatch) {
    parts.push(replicate(objects.slice(at, at + perBatch)));
  }
  const drivers = await engine.drivers("hot", "cold");
  await engine.work(drivers);
  await engine.dispatch(drivers);
  engine.index.begin("run", parts);
  const run = await secondsOf(() => engine.ended("run", 300_000));
  await rm(bare, { recursive: true });
  console.log(
    `  ${size / KiB} KiB × ${count} in batches of ${perBatch}: ` +
      `bare copy+hash ${speed(count, size, once)}, with read-back ${speed(count, size, twice)}, ` +
      `run ${speed(count, size, run)}: ${ratio(run / once)} and ${ratio(run / twice)} of bare`,
  );
}

/** Reads, hashes, writes beside, renames; then perhaps reads and hashes again. Eight at once. */
async function bareLoop(folder: string, count: number, readBack: boolean): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = join(folder, `${next}`);
      next += 1;
      const bytes = await readFile(from);
      createHash("sha256").update(bytes).digest();
      await writeFile(`${from}.part`, bytes);
      await rename(`${from}.part`, `${from}.copy`);
      if (readBack) {
        createHash("sha256")
          .update(await readFile(`${from}.copy`))
          .digest();
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

function replicate(objects: readonly ObjectRef[]) {
  return { verb: "replicate", source: "hot", target: "cold", victim: null, objects } as const;
}

function rate(seconds: number): string {
  return `${Math.round(enqueued / seconds)} jobs/s`;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1_000;
}

function speed(count: number, size: number, seconds: number): string {
  return size < MiB
    ? `${Math.round(count / seconds)} objects/s`
    : `${Math.round((count * size) / MiB / seconds)} MiB/s`;
}

function ratio(value: number): string {
  return `${value.toFixed(2)}x`;
}
