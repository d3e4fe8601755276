import type { ObjectIndex } from "#index/object-index.ts";
import { expect, test } from "vitest";
import type { PolicyWords } from "#model/policy-word.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { backendFacts, cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, evidenceOf, gone, hour, masks, onlyBatch } from "./run-steps.ts";

test("two runs that remove the last two copies cannot both have a permit", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot"), copyOn("warm")])], start);
  const one = await index.beginRun(
    await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]),
    start,
  );
  const two = await index.beginRun(
    await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 1 }]),
    start,
  );
  const first = await onlyBatch(index, one.id, "hot");
  const second = await onlyBatch(index, two.id, "warm");
  const allowed = await index.commitCopies(stepOf(first), [], context());
  const refused = await index.commitCopies(stepOf(second), [], context());
  expect(allowed.permits).toHaveLength(1);
  expect(refused).toMatchObject({
    permits: [],
    refusals: [{ sequence: 0, backend: "warm", reason: "reserved", cid: cidOf(0) }],
  });
  expect(await index.commitCopies(stepOf(second), [], context())).toEqual(refused);
  expect((await index.run(two.id))?.progress).toMatchObject({ skipped: 1, remaining: 0 });
  expect(await index.checkSummaries()).toEqual([]);
});

test("several removals of one object in one plan leave what must remain", async () => {
  const { index, folder } = await openIndex(["a", "b", "c", "d"]);
  await index.putObjects(
    [
      objectOf(
        0,
        ["a", "b", "c", "d"].map((name) => copyOn(name)),
      ),
    ],
    start,
  );
  const requirements = [
    { rule: "p/two", backends: "14", copies: 2, confidence: "verified" },
  ] as const;
  const plan = await makePlan(
    index,
    folder,
    [0, 1, 2, 3].map((victim) => ({ verb: "evict", object: 0, victim, requirements })),
  );
  const run = await index.beginRun(plan, start);
  const answers = [];
  for (const lane of ["a", "b", "c", "d"]) {
    answers.push(
      await index.commitCopies(stepOf(await onlyBatch(index, run.id, lane)), [], context()),
    );
  }
  expect(answers.map((answer) => answer.permits.length)).toEqual([1, 0, 0, 1]);
  expect(answers.flatMap((answer) => answer.refusals.map((refusal) => refusal.reason))).toEqual([
    "reserved",
    "reserved",
  ]);
});

test("holds, missing minimum, missing tombstone and unmet requirements refuse a permit", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [
      objectOf(0, [copyOn("hot"), copyOn("warm")]),
      objectOf(1, [copyOn("hot"), copyOn("warm")]),
      objectOf(2, [copyOn("hot"), copyOn("warm", "listed")]),
      objectOf(3, [copyOn("warm")]),
      objectOf(4, [copyOn("hot"), copyOn("warm")]),
      objectOf(5, [copyOn("hot")]),
    ],
    start,
  );
  await index.hold([0], "legal", start);
  const cold = [{ rule: "p/cold", backends: "4", copies: 1, confidence: "listed" }] as const;
  const plan = await makePlan(index, folder, [
    ...[0, 1, 2, 3].map((object) => ({ verb: "evict", object, victim: 0 }) as const),
    { verb: "evict", object: 4, victim: 0, requirements: cold },
    { verb: "delete", object: 5, victim: 0 },
  ]);
  const run = await index.beginRun(plan, start);
  const batches = await index.pendingBatches(run.id, "hot", 10);
  const reasons = [];
  for (const batch of batches) {
    const answer = await index.commitCopies(stepOf(batch), [], context({ askPolicies: holdsOne }));
    expect(answer.permits).toEqual([]);
    reasons.push(...answer.refusals.map((refusal) => refusal.reason));
  }
  expect(reasons).toEqual(["held", "held", "below-minimum", "absent", "ensure", "not-tombstoned"]);
  const [ended] = await index.finishRuns(start);
  expect(ended).toMatchObject({ state: "completed", progress: { skipped: 6, remaining: 0 } });
});

test("a tombstone starts the grace of an object, and a delete then needs no other copy", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")]), objectOf(1, [copyOn("hot")])], start);
  await index.hold([1], "legal", start);
  const marked = await index.beginRun(
    await makePlan(index, folder, [
      { verb: "tombstone", object: 0 },
      { verb: "tombstone", object: 1 },
    ]),
    start,
  );
  await index.commitCopies(stepOf(await onlyBatch(index, marked.id, "index")), [], context());
  expect((await index.run(marked.id))?.progress).toMatchObject({ done: 1, skipped: 1 });
  const run = await index.beginRun(
    await makePlan(index, folder, [{ verb: "delete", object: 0, victim: 0 }]),
    start,
  );
  const step = stepOf(await onlyBatch(index, run.id, "hot"));
  const { permits } = await index.commitCopies(step, [], context());
  expect(permits).toMatchObject([{ authority: "delete", reserved: [] }]);
  await index.commitRemovals(step, [gone(0, permits[0]?.id ?? "")], start);
  expect(await masks(index)).toMatchObject([{ present: 0 }, { present: 1 }]);
  await index.putObjects([objectOf(0, [copyOn("warm")])], start);
  const [again] = await index.listObjects(
    { text: "o.object_id = 0 AND o.tombstoned IS NULL", parameters: [] },
    1,
    start,
  );
  expect(again?.backends).toEqual(["warm"]);
});

test("content is not called safe at a place where a permit may still delete it", async () => {
  const { index, folder } = await openIndex();
  const object = objectOf(0, [copyOn("hot")]);
  await index.putObjects([object], start);
  for (const verb of ["tombstone", "delete"] as const) {
    const action = verb === "delete" ? { verb, object: 0, victim: 0 } : { verb, object: 0 };
    const run = await index.beginRun(await makePlan(index, folder, [action]), start);
    const lane = verb === "delete" ? "hot" : "index";
    await index.commitCopies(stepOf(await onlyBatch(index, run.id, lane)), [], context());
  }
  const again = await index.putObjects([object, objectOf(1, [copyOn("hot")])], start);
  expect(again).toMatchObject({ added: 1, known: 0, copies: 1 });
  expect(again.beingDeleted).toMatchObject([{ cid: cidOf(0), backend: "hot" }]);
  // Another place is no matter of that permit, and neither is this one when it has run out.
  const elsewhere = await index.putObjects([objectOf(0, [copyOn("warm")])], start);
  expect(elsewhere.beingDeleted).toEqual([]);
  const [permit] = await index.expiredPermits(new Date(start.getTime() + 24 * hour));
  const until = again.beingDeleted[0]?.until ?? start;
  expect(until.getTime()).toBeGreaterThan(Date.parse(permit?.expiresAt ?? ""));
  const checkedAt = until.toISOString();
  const absent = { ...evidenceOf(0, "hot", "absent"), checkedAt };
  await index.settlePermit(permit?.id ?? "", absent, until);
  const later = await index.putObjects([object], new Date(until.getTime() + 1));
  expect(later.beingDeleted).toEqual([]);
  expect((await masks(index))[0]).toMatchObject({ present: 3 });
});

test("a read or a hold after the mark for deletion lifts it, so that the grace begins anew", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2, 3].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const marks = [0, 1, 2, 3].map((object) => ({ verb: "tombstone" as const, object }));
  const run = await index.beginRun(await makePlan(index, folder, marks), start);
  await index.commitCopies(stepOf(await onlyBatch(index, run.id, "index")), [], context());
  const [before, after] = [-hour, hour].map((ms) => new Date(start.getTime() + ms));
  await index.recordAccesses("reads", [
    { object: cidOf(0), at: after ?? start, weight: 1 },
    { object: cidOf(1), at: before ?? start, weight: 1 },
  ]);
  await index.hold([2], "legal", after ?? start);
  const marked = await index.listObjects(
    { text: "o.tombstoned IS NOT NULL", parameters: [] },
    9,
    start,
  );
  expect(marked.map(({ objectId }) => objectId)).toEqual([1, 3]);
});

test("a mark that was lifted and set anew while a run waited gives a new grace", async () => {
  const { index, folder } = await openIndex();
  const objects = [0, 1].map((number) => objectOf(number, [copyOn("hot")]));
  await index.putObjects(objects, start);
  const begin = deletionOf(index, folder);
  await index.commitCopies(await begin("tombstone"), [], context());
  const waiting = await begin("delete");
  const after = new Date(start.getTime() + hour);
  await index.recordAccesses("reads", [{ object: cidOf(0), at: after, weight: 1 }]);
  await index.commitCopies(await begin("tombstone"), [], { ...context(), now: after });
  const { permits, refusals } = await index.commitCopies(waiting, [], context());
  expect(permits).toMatchObject([{ cid: cidOf(1), authority: "delete" }]);
  expect(refusals).toMatchObject([{ cid: cidOf(0), reason: "not-tombstoned" }]);
});

test("content that is handed in again during its grace is not deleted when that is over", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  for (const place of ["hot", "warm"]) {
    const mark = await makePlan(index, folder, [{ verb: "tombstone", object: 0 }]);
    const run = await index.beginRun(mark, start);
    await index.commitCopies(stepOf(await onlyBatch(index, run.id, "index")), [], context());
    const marked = { text: "o.tombstoned IS NOT NULL", parameters: [] };
    expect(await index.listObjects(marked, 1, start)).toHaveLength(1);
    await index.putObjects([objectOf(0, [copyOn(place)])], start);
    expect(await index.listObjects(marked, 1, start)).toEqual([]);
  }
});

test("a read that comes while the last copy is being deleted leaves a deleted object, not a lost one", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const begin = deletionOf(index, folder);
  await index.commitCopies(await begin("tombstone"), [], context());
  const step = await begin("delete");
  const { permits } = await index.commitCopies(step, [], context());
  const after = new Date(start.getTime() + hour);
  await index.recordAccesses(
    "reads",
    [0, 1].map((object) => ({ object: cidOf(object), at: after, weight: 1 })),
  );
  await index.commitRemovals(step, [gone(0, permits[0]?.id ?? "")], after);
  await index.settlePermit(permits[1]?.id ?? "", evidenceOf(1, "hot", "absent"), after);
  const deleted = { text: "o.tombstoned IS NOT NULL", parameters: [] };
  expect(await index.listObjects(deleted, 9, after)).toHaveLength(2);
  expect(await index.checkSummaries()).toEqual([]);
});

test("no permit rests on a copy on a backend that is no longer configured", async () => {
  const { index, folder } = await openIndex();
  const later = copyOn("cold", "verified", new Date(start.getTime() + 1_000));
  await index.putObjects(
    [
      objectOf(0, [copyOn("hot"), copyOn("warm"), later]),
      objectOf(1, [copyOn("hot"), later]),
      objectOf(2, [copyOn("hot"), later]),
    ],
    start,
  );
  const two = [{ rule: "p/two", backends: "7", copies: 1, confidence: "verified" }] as const;
  const evictions = [0, 1, 2].map((object) => ({
    verb: "evict" as const,
    object,
    victim: 0,
    requirements: object === 2 ? two : [],
  }));
  const run = await index.beginRun(await makePlan(index, folder, evictions), start);
  const step = stepOf(await onlyBatch(index, run.id, "hot"));
  await index.syncBackends(["hot", "warm"].map((name) => backendFacts(name)));
  const { permits, refusals } = await index.commitCopies(step, [], context());
  expect(permits).toMatchObject([{ cid: cidOf(0), reserved: [{ backend: "warm" }] }]);
  const uncounted = expect.stringMatching(
    /backends that are not configured do not count \(cold\)$/,
  );
  expect(refusals).toMatchObject([
    { cid: cidOf(1), reason: "below-minimum", message: uncounted },
    { cid: cidOf(2), reason: "ensure", message: uncounted },
  ]);
});

test("the last copies on a backend that is no longer configured are removed as planned", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot"), copyOn("cold")])], start);
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 2 }]);
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "cold"));
  await index.syncBackends(["hot", "warm"].map((name) => backendFacts(name)));
  const { permits } = await index.commitCopies(step, [], context());
  expect(permits).toMatchObject([{ backend: "cold", reserved: [{ backend: "hot" }] }]);
});

async function holdsOne(): Promise<PolicyWords> {
  return new Map([[1, { refused: { reason: "held", message: "a rule holds it" } }]]);
}

/** Begins a run that marks two objects, or deletes them from `hot`; its step. */
function deletionOf(index: ObjectIndex, folder: string) {
  return async (verb: "tombstone" | "delete") => {
    const actions = [0, 1].map((object) =>
      verb === "delete" ? { verb, object, victim: 0 } : { verb, object },
    );
    const run = await index.beginRun(await makePlan(index, folder, actions), start);
    return stepOf(await onlyBatch(index, run.id, verb === "delete" ? "hot" : "index"));
  };
}
