import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ObjectIndex } from "#index/object-index.ts";
import { parseSize } from "#model/quantity.ts";
import { makeLivelyIndex } from "../lively-index.ts";
import { planEverything, planLimited } from "../memory-works.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import { peakMemory } from "../runner/peak-memory.ts";
import { threads, type Workbench } from "../runner/workbench.ts";

const withinLimit = fileURLToPath(new URL("../within-limit.ts", import.meta.url));
/** The least that a configuration may allow. */
const leastMib = 256;
/** Of larger ones: 954 MiB of ten million, four times what a prototype needed for one rule. */
const bytesPerObject = 100;

export default {
  name: "memory",
  about: "a plan and inventories within little memory, a plan within eight times as much",
  rounds: 3,
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  async measure(bench) {
    const small = Math.max(leastMib, Math.ceil((bench.objects * bytesPerObject) / 2 ** 20));
    // One after the other opens the index, so that it is never more than the larger one.
    const large = `${small * 8}MiB`;
    bench.allow(large);
    const base = peakMemory();
    const plan = () => planWithin(bench, `${small}MiB`, planEverything);
    // Before the other side ever runs: what was held once is part of the peak for good.
    await plan();
    const ours = peakMemory() - base;
    return [
      counted({
        what: "memory of a plan of everything, above that of the program",
        ours,
        peer: parseSize(`${small}MiB`),
        peerName: "the limit",
        unit: "B",
        better: "less",
        goal: 1,
      }),
      ...(await inventoriesWithin(bench, small)),
      await compare({
        what: "the time of such a plan",
        rounds: bench.rounds,
        goal: 1.1,
        ours: plan,
        peer: () => planWithin(bench, large, planEverything),
        peerName: "eight times the limit",
      }),
      await limitedPlan(bench, small),
    ];
  },
} satisfies Benchmark;

/** Each in a process of its own, as a process never holds less at most than it held before. */
async function inventoriesWithin(bench: Workbench, mib: number): Promise<readonly Measurement[]> {
  const path = bench.path("inventory.duckdb");
  const measurements: Measurement[] = [];
  for (const work of ["first", "next"] as const) {
    const args = [withinLimit, `${work}-inventory`, path, `${mib}MiB`, String(bench.objects)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    measurements.push(
      counted({
        what: `memory of the ${work} inventory of so many copies, above that of the program`,
        ours: (JSON.parse(stdout) as { held: number }).held,
        peer: parseSize(`${mib}MiB`),
        peerName: "the limit",
        unit: "B",
        better: "less",
        goal: 1,
      }),
    );
  }
  await Promise.all([path, `${path}.wal`].map((file) => rm(file, { force: true })));
  return measurements;
}

/** What prototypes were measured with: a gigabyte for fifty million objects. */
async function limitedPlan(bench: Workbench, mib: number): Promise<Measurement> {
  const small = Math.min(mib, 1_024);
  const cids = new Set<string>();
  const measured = await compare({
    what: "the time of a plan with order and limit",
    rounds: bench.rounds,
    warm: true,
    goal: 1.1,
    ours: async () => cids.add(await planWithin(bench, `${small}MiB`, planLimited)),
    peer: async () => cids.add(await planWithin(bench, `${8 * small}MiB`, planLimited)),
    peerName: "eight times the limit",
  });
  if (cids.size !== 1) throw new Error(`plans that are not the same: ${[...cids].join(", ")}`);
  return measured;
}

/** Opens the index within a limit, plans, and closes it. */
async function planWithin(
  bench: Workbench,
  memoryLimit: string,
  plan: (index: ObjectIndex, out: string, objects: number) => Promise<string>,
): Promise<string> {
  const index = await ObjectIndex.open(bench.path("index.duckdb"), { memoryLimit, threads });
  try {
    return await plan(index, bench.path("rows"), bench.objects);
  } finally {
    await index.close();
  }
}
