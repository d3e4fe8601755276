// Whether the work for a batch depends on the size of its plan: for plans of several sizes, each
// in an index of its own, the processor time to begin a run, to read what the dispatcher reads,
// and to commit. `statements` prints the slowest ones too.
//   node bench/plan-size.ts [sizes = 100000,1000000] [batches = 96] [statements = 0]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ObjectIndex } from "#index/object-index.ts";
import { commitsAtOnce } from "#jobs/dispatcher.ts";
import { segmentCid } from "#jobs/segment.ts";
import type { Batch, CopyOutcome, StepData } from "#model/run.ts";
import { copiedOutcomes } from "./copied-outcomes.ts";
import { copyPlan } from "./copy-plan.ts";
import { makeLargeIndex } from "./large-index.ts";
import { costOf } from "./median.ts";
import { lanes } from "./raw-step.ts";
import { StatementTimes } from "./statement-times.ts";

const [sizes = "100000,1000000", batchesMax = "96", shown = "0"] = process.argv.slice(2);
const start = new Date("2026-01-01T00:00:00Z");
const context = {
  now: start,
  permitTtlMs: 3_600_000,
  minimumCopies: 1,
  askPolicies: async () => new Map(),
};
const times = StatementTimes.begin();
for (const size of sizes.split(",")) await measure(Number(size), Number(batchesMax));

async function measure(objects: number, count: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
  const path = join(folder, "index.duckdb");
  try {
    await makeLargeIndex(path, objects, lanes);
    await using index = await opened(path);
    const target = `1 + object_id // ${Math.ceil(objects / lanes.length)}`;
    const facts = { cid: "bench-plan", actions: objects, target, folder };
    const plan = await copyPlan(index, { ...facts, evaluatedAt: start.toISOString() });
    console.log(`${objects} actions`);
    const run = await part("begin the run", 1, () => index.beginRun(plan, start));
    const batches = await part("look at the run, choose batches", 1, async () => {
      await index.runs();
      await index.workGroups(run.id);
      const perLane = Math.ceil(count / lanes.length);
      const chosen = lanes.map((lane) => index.pendingBatches(run.id, lane, perLane));
      return (await Promise.all(chosen)).flat();
    });
    await part("segment, alone", batches.length, async () => {
      for (const { planCid, from, to } of batches) await index.segment(planCid, from, to);
    });
    await part("segment, with the others", batches.length, () => index.segments(plan.cid, batches));
    const steps = await Promise.all(batches.map((batch) => reported(index, batch)));
    await part("commit", steps.length, () => commitAll(index, steps));
    await part("look whether runs have ended", 1, () => index.finishRuns(start));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function opened(path: string): Promise<ObjectIndex & AsyncDisposable> {
  const index = await ObjectIndex.open(path, { threads: 2 });
  return Object.assign(index, { [Symbol.asyncDispose]: () => index.close() });
}

type Reported = readonly [StepData, readonly CopyOutcome[]];

/** A batch with what a worker would say about it. */
async function reported(index: ObjectIndex, batch: Batch): Promise<Reported> {
  const { number, from, to, planCid } = batch;
  const segment = segmentCid(await index.segment(planCid, from, to));
  const step: StepData = { ...batch, batch: number, segmentCid: segment };
  return [step, await copiedOutcomes(index, step)];
}

/** As many at a time as the dispatcher takes. */
async function commitAll(index: ObjectIndex, steps: readonly Reported[]): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let step = steps[next++]; step !== undefined; step = steps[next++]) {
      await index.commitCopies(step[0], step[1], context);
    }
  };
  await Promise.all(Array.from({ length: commitsAtOnce }, lane));
}

async function part<T>(name: string, count: number, work: () => Promise<T>): Promise<T> {
  times.clear();
  let result: T | undefined;
  const { seconds, processor } = await costOf(async () => {
    result = await work();
  });
  const ms = (time: number) => `${((time * 1_000) / count).toFixed(1)} ms`;
  console.log(`  ${name.padEnd(32)} processor ${ms(processor)}, elapsed ${ms(seconds)}`);
  times.print(count, Number(shown));
  return result as T;
}
