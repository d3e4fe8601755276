import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { CopyOutcome, StepData } from "#model/run.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, ledgerLines } from "./run-steps.ts";

const batches = 6;

test("copy steps that come together share a transaction and are each answered", async () => {
  const { index, steps } = await sixBatches();
  const before = await index.version();
  const answers = await Promise.all(
    steps.map((step) => index.commitCopies(step, outcomes(step), context({ epoch: 3 }))),
  );
  expect(answers).toEqual(steps.map(() => ({ epoch: 3, permits: [], refusals: [] })));
  expect((await index.version()) - before).toBeLessThan(batches);
  await expectAllDone(index);
});

test("a step that is refused takes nobody with it, whoever shares its transaction", async () => {
  const { index, steps } = await sixBatches();
  const strange = { ...(steps[2] as StepData), to: 99 };
  const ends = await Promise.allSettled(
    [...steps.slice(0, 2), strange, ...steps.slice(3)].map((step) =>
      index.commitCopies(step, outcomes(step), context()),
    ),
  );
  expect(ends.map(({ status }) => status)).toEqual(
    steps.map((step) => (step.batch === strange.batch ? "rejected" : "fulfilled")),
  );
  expect((await index.runs())[0]?.progress).toMatchObject({ done: batches - 1, remaining: 1 });
  const forgotten = steps[2] as StepData;
  await index.commitCopies(forgotten, outcomes(forgotten), context());
  await expectAllDone(index);
});

test("a batch that two workers report at the same moment ends once", async () => {
  const { index, steps } = await sixBatches();
  await Promise.all(
    [...steps, ...steps.map((step) => ({ ...step, attempt: 1 })), ...steps].map((step) =>
      index.commitCopies(step, outcomes(step), context()),
    ),
  );
  await expectAllDone(index);
  const lines = await ledgerLines(index);
  expect(lines.filter((line) => String(line).startsWith("outcome"))).toHaveLength(batches);
});

test("steps for several targets, or that remove, are recorded with their own answers", async () => {
  const { index, folder } = await openIndex();
  const objects = [0, 1, 2].map((number) => objectOf(number, [copyOn("hot")]));
  await index.putObjects(objects, start);
  const plan = await makePlan(index, folder, [
    { verb: "replicate", object: 0, source: 0, target: 1 },
    { verb: "replicate", object: 1, source: 0, target: 2 },
    { verb: "demote", object: 2, source: 0, target: 2, victim: 0 },
  ]);
  const run = await index.beginRun(plan, start);
  const steps = await stepsOf(index, run.id, ["warm", "cold"]);
  const answers = await Promise.all(
    steps.map((step) => {
      const outcome = copied(step.from, step.from, step.target ?? "");
      return index.commitCopies(step, [outcome], context());
    }),
  );
  expect(answers.map(({ permits }) => permits.map(({ sequence }) => sequence))).toEqual([
    [],
    [],
    [2],
  ]);
  expect(await index.checkSummaries()).toEqual([]);
});

/** A run of six objects too large to travel together, with what its workers report. */
async function sixBatches() {
  const { index, folder } = await openIndex();
  const size = 16 * 2 ** 20;
  const numbers = Array.from({ length: batches }, (_, number) => number);
  const objects = numbers.map((number) => objectOf(number, [copyOn("hot")], { size }));
  await index.putObjects(objects, start);
  const actions = numbers.map((object) => ({ verb: "replicate", object, source: 0, target: 2 }));
  const plan = await makePlan(index, folder, actions as Parameters<typeof makePlan>[2]);
  const run = await index.beginRun(plan, start);
  const steps = await stepsOf(index, run.id, ["cold"]);
  expect(steps).toHaveLength(batches);
  return { index, steps };
}

/** What the worker says of the one object of a step. */
function outcomes(step: StepData): readonly CopyOutcome[] {
  return [copied(step.from, step.from, "cold")];
}

async function stepsOf(
  index: ObjectIndex,
  runId: string,
  lanes: readonly string[],
): Promise<readonly StepData[]> {
  const steps: StepData[] = [];
  for (const lane of lanes) {
    steps.push(...(await index.pendingBatches(runId, lane, 10)).map((batch) => stepOf(batch)));
  }
  return steps;
}

async function expectAllDone(index: ObjectIndex): Promise<void> {
  const [ended] = await index.finishRuns(start);
  expect(ended).toMatchObject({ state: "completed", progress: { done: batches, remaining: 0 } });
  expect(await index.checkSummaries()).toEqual([]);
}
