import { expect, test } from "vitest";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied } from "./run-steps.ts";

test("a removal waits for the copies of its own objects, and for nothing else", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const plan = await makePlan(index, folder, [
    { verb: "replicate", object: 0, source: 0, target: 2 },
    { verb: "demote", object: 0, source: 0, target: 1, victim: 0 },
    { verb: "evict", object: 1, victim: 0 },
    { verb: "evict", object: 0, victim: 1 },
  ]);
  const run = await index.beginRun(plan, start);
  const offered = async (...lanes: readonly string[]) => {
    const batches = await Promise.all(lanes.map((lane) => index.pendingBatches(run.id, lane, 10)));
    return batches.flat().map((batch) => `${batch.verb} ${batch.from}`);
  };
  const blocked = async () =>
    (await index.workGroups(run.id))
      .filter((group) => group.blocked > 0)
      .map((group) => `${group.verb} ${group.blocked}/${group.pending}`);
  // The move and the second removal concern the object whose new copy is on its way.
  expect(await offered("hot", "warm", "cold")).toEqual(["evict 2", "replicate 0"]);
  expect(await blocked()).toEqual(["demote 1/1", "evict 1/1"]);

  const [first] = await index.pendingBatches(run.id, "cold", 1);
  if (first === undefined) throw new Error("no batch");
  await index.markQueued(run.id, [first.number]);
  expect(await offered("hot", "warm", "cold")).toEqual(["evict 2"]);
  await index.commitCopies(stepOf(first), [copied(0, 0, "cold")], context());
  expect(await offered("hot", "warm")).toEqual(["evict 2", "demote 1"]);
  expect(await blocked()).toEqual(["evict 1/1"]);
});
