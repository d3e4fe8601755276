// What it costs to publish the index for a standby on another data directory: how long it
// takes, how large it is, and what it does to those who write and read meanwhile.
//   node bench/publish.ts [objects = 100000]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PublishedIndexes } from "#engine/published-indexes.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { localFacts } from "./copy-plan.ts";
import { sampleObject, sampleTime } from "./sample-objects.ts";

const objects = Number(process.argv[2] ?? 100_000);
const perPut = 1_000;
/** How long writers and readers are watched without and with a publication. */
const watchMs = 10_000;

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const index = await ObjectIndex.open(join(folder, "index.duckdb"));
try {
  await index.syncBackends([localFacts("hot")]);
  for (let first = 0; first < objects; first += perPut) {
    await index.putObjects(
      Array.from({ length: perPut }, (_, at) => sampleObject(first + at)),
      sampleTime,
    );
  }
  const snapshots = new PublishedIndexes(join(folder, "published"), 3);
  console.log(`${objects} objects`);
  report("alone", await watched(async () => {}));
  const published: string[] = [];
  report(
    "while it is published again and again",
    await watched(async () => {
      const begun = performance.now();
      const about = { epoch: 1, node: "bench", final: false };
      const { bytes } = await snapshots.publish(index, about, sampleTime);
      const mebibytes = (bytes / 2 ** 20).toFixed(1);
      published.push(`${Math.round(performance.now() - begun)} ms, ${mebibytes} MiB`);
    }),
  );
  console.log(`published ${published.length} times: ${published.join("; ")}`);
} finally {
  await index.close();
  await rm(folder, { recursive: true, force: true });
}

interface Delays {
  readonly writes: readonly number[];
  readonly reads: readonly number[];
}

/** How long writes and reads take, one after the other, while something else goes on. */
async function watched(beside: () => Promise<void>): Promise<Delays> {
  const until = performance.now() + watchMs;
  const isOver = () => performance.now() >= until;
  let next = objects;
  const [writes, reads] = await Promise.all([
    timed(isOver, async () => {
      await index.putObjects([sampleObject((next += 1))], sampleTime);
    }),
    timed(isOver, async () => {
      await index.totals(1);
    }),
    timed(isOver, beside),
  ]);
  return { writes, reads };
}

async function timed(isOver: () => boolean, work: () => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  while (!isOver()) {
    const begun = performance.now();
    await work();
    took.push(performance.now() - begun);
    // Others get their turn, also when the work is nothing.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return took;
}

function report(name: string, { writes, reads }: Delays): void {
  console.log(`${name}: writes ${summary(writes)}; reads ${summary(reads)}`);
}

function summary(took: readonly number[]): string {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return `${took.length}, median ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}
