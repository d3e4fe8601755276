import { expect, test } from "vitest";
import type { PolicyWords } from "#model/policy-word.ts";
import { batchObjectsMax } from "#model/run.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf } from "./run-steps.ts";

/** Demotions of one collection, of which the plan says that it goes together. */
async function demoteAll(count: number, group = true) {
  const { index, folder } = await openIndex(["hot", "cold"]);
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  const collection = { collection: "films" };
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn("hot")], collection)),
    start,
  );
  const actions = numbers.map((_, object): TestAction => ({
    verb: "demote",
    object,
    source: 0,
    target: 1,
    victim: 0,
  }));
  const plan = await makePlan(index, folder, actions);
  const terms = group ? { groups: ["test/rule"] } : {};
  const { id } = await index.beginRun({ ...plan, header: { ...plan.header, ...terms } }, start);
  return { index, batches: await index.pendingBatches(id, "cold", 10) };
}

test("nothing of a collection is given up when one of its objects could not be copied", async () => {
  for (const group of [true, false]) {
    const { index, batches } = await demoteAll(3, group);
    const step = stepOf(batches[0]!);
    const bad = copied(1, 2, "cold", evidenceOf(2, "cold", "corrupt"));
    const { permits, refusals } = await index.commitCopies(
      step,
      [copied(0, 1, "cold"), bad, copied(2, 3, "cold")],
      context(),
    );
    expect([permits.length, refusals.length]).toEqual(group ? [0, 2] : [2, 0]);
    for (const { reason, message } of refusals) {
      expect(reason).toBe("group");
      expect(message).toMatch(
        /^\/data\/2\.bin of its collection cannot go yet, and they go together: its action failed \(.+\)$/,
      );
    }
  }
});

test("a collection that is whole and ready is given up", async () => {
  const { index, batches } = await demoteAll(3);
  const done = [1, 2, 3].map((number, at) => copied(at, number, "cold"));
  const { permits, refusals } = await index.commitCopies(stepOf(batches[0]!), done, context());
  expect([permits.length, refusals.length]).toEqual([3, 0]);
});

test("an object that a rule holds by now keeps its collection", async () => {
  const { index, batches } = await demoteAll(3);
  const done = [1, 2, 3].map((number, at) => copied(at, number, "cold"));
  const { refusals } = await index.commitCopies(
    stepOf(batches[0]!),
    done,
    context({ askPolicies: holdsSecond }),
  );
  const because =
    "/data/2.bin of its collection cannot go yet, and they go together: a rule holds it";
  expect(refusals.map(({ reason, message }) => [reason, message])).toEqual([
    ["group", because],
    ["held", "a rule holds it"],
    ["group", because],
  ]);
});

async function holdsSecond(): Promise<PolicyWords> {
  return new Map([[1, { refused: { reason: "held", message: "a rule holds it" } }]]);
}

function allCopied(from: number, to: number) {
  return Array.from({ length: to - from }, (_, at) => copied(from + at, from + at + 1, "cold"));
}

test("of a collection that spans batches nothing is given up before all of it is copied", async () => {
  const { index, batches } = await demoteAll(batchObjectsMax + 1);
  expect(batches).toHaveLength(2);
  const results = [];
  for (const batch of batches) {
    const step = stepOf(batch);
    results.push(await index.commitCopies(step, allCopied(step.from, step.to), context()));
  }
  // The last one finds every copy there, but what was refused of the first stays refused.
  expect(results.map(({ permits }) => permits.length)).toEqual([0, 0]);
  expect(results[0]?.refusals).toHaveLength(batchObjectsMax);
  const [first] = results[0]?.refusals ?? [];
  expect(first?.message).toMatch(/they go together: its copy on cold is not verified yet$/);
});
