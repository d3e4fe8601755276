// What it costs to record copy steps: batches of a thousand that arrive as many at a time as the
// dispatcher takes, processor time a batch, and the statements that take longest.
//   node bench/commits.ts [objects = 1000000] [batches = 120]
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
import { StatementTimes } from "./statement-times.ts";

const objects = Number(process.argv[2] ?? 1_000_000);
const batchesMax = Number(process.argv[3] ?? 120);
const start = new Date("2026-01-01T00:00:00Z");
const context = {
  now: start,
  permitTtlMs: 3_600_000,
  minimumCopies: 1,
  askPolicies: async () => new Map(),
};

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const path = join(folder, "index.duckdb");
try {
  await makeLargeIndex(path, objects, ["cold"]);
  const index = await ObjectIndex.open(path, { threads: 2 });
  const facts = { cid: "bench-plan", actions: objects, target: "1", folder };
  const plan = await copyPlan(index, { ...facts, evaluatedAt: start.toISOString() });
  const run = await index.beginRun(plan, start);
  const batches = await index.pendingBatches(run.id, "cold", batchesMax);
  const steps: (readonly [StepData, readonly CopyOutcome[]])[] = [];
  for (const batch of batches) steps.push(await reported(index, batch));
  const before = await index.version();
  const statements = StatementTimes.begin();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let step = steps[next++]; step !== undefined; step = steps[next++]) {
      await index.commitCopies(step[0], step[1], context);
    }
  };
  const { seconds, processor } = await costOf(() =>
    Promise.all(Array.from({ length: commitsAtOnce }, lane)),
  );
  const perBatch = (time: number) => `${((time * 1_000) / steps.length).toFixed(1)} ms`;
  console.log(
    `${steps.length} batches in ${(await index.version()) - before} transactions: ` +
      `${perBatch(seconds)} a batch, processor time ${perBatch(processor)}`,
  );
  await index.close();
  statements.print(steps.length);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A batch with what a worker would say about it. */
async function reported(index: ObjectIndex, batch: Batch) {
  const { number, from, to, planCid } = batch;
  const segment = segmentCid(await index.segment(planCid, from, to));
  const step: StepData = { ...batch, batch: number, segmentCid: segment };
  return [step, await copiedOutcomes(index, step)] as const;
}
