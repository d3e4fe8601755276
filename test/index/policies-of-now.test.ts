import type { ObjectIndex } from "#index/object-index.ts";
import { expect, test } from "vitest";
import { policiesUnknown, type PolicyWords } from "#model/policy-word.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, hour, masks, onlyBatch } from "./run-steps.ts";

test("what policies want by now binds a run that was planned before, and the refusal names the rule", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2, 3, 4].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const two = { rule: "p/two", place: "p.yaml:4:5", copies: 2, confidence: "verified" } as const;
  const words: PolicyWords = new Map([
    [0, { promises: [{ ...two, backends: "7" }] }],
    [1, { promises: [{ ...two, backends: "6" }] }],
    [2, { leased: 1n }],
    [3, { refused: { reason: "policies", message: "p.yaml:1:1: not a policy" } }],
    [4, { leased: 2n, kept: { reason: "ensure", message: "kept" } }],
  ]);
  const plan = await makePlan(
    index,
    folder,
    [0, 1, 2, 3, 4].map((object) => ({ verb: "evict", object, victim: 0 })),
  );
  const run = await index.beginRun(plan, start);
  const batch = await onlyBatch(index, run.id, "hot");
  const asked: (readonly number[])[] = [];
  const { permits, refusals } = await index.commitCopies(stepOf(batch), [], {
    ...context(),
    askPolicies: async (ids) => {
      asked.push(ids);
      return words;
    },
  });
  expect(asked).toEqual([[0, 1, 2, 3, 4]]);
  expect(permits.map(({ objectId }) => objectId)).toEqual([1, 4]);
  expect(refusals.map(({ objectId, reason }) => [objectId, reason])).toEqual([
    [0, "ensure"],
    [2, "ensure"],
    [3, "policies"],
  ]);
  expect(refusals[0]?.message).toBe(
    "by now p/two (p.yaml:4:5) needs 2 verified copies, 1 would remain for certain",
  );
});

test("what policies keep by now is neither marked nor deleted, nor before the grace they give it", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const begin = deletionOf(index, folder);
  const kept = { reason: "ensure", message: "by now p/keep wants copies of it" } as const;
  const keeps = context({ askPolicies: async () => new Map([[1, { kept }]]) });
  const marking = await begin("tombstone");
  await index.commitCopies(marking, [], keeps);
  expect((await index.run(marking.runId))?.progress).toMatchObject({ done: 1, skipped: 1 });
  await index.commitCopies(await begin("tombstone"), [], context());
  const grace = { words: "p/drop gives it 1h", ms: hour };
  const later = context({
    askPolicies: async () =>
      new Map([
        [0, { grace }],
        [1, { kept }],
      ]),
  });
  const early = await index.commitCopies(await begin("delete"), [], later);
  expect(early.permits).toEqual([]);
  expect(early.refusals.map(({ reason, message }) => [reason, message])).toEqual([
    ["unwanted", `p/drop gives it 1h, until ${new Date(start.getTime() + hour).toISOString()}`],
    ["ensure", kept.message],
  ]);
  const over = { ...later, now: new Date(start.getTime() + hour) };
  const due = await index.commitCopies(await begin("delete"), [], over);
  expect(due.permits.map(({ objectId }) => objectId)).toEqual([0]);
});

/** Nobody can say what the policies want. */
async function silent(): Promise<never> {
  throw policiesUnknown("p.yaml:3:5: no such word");
}

test("while nobody can say what policies want, copies are recorded and removals judged later", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const plan = await makePlan(index, folder, [
    { verb: "demote", object: 0, source: 0, target: 2, victim: 0 },
  ]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "cold"));
  const outcomes = [copied(0, 0, "cold")];
  const waiting = await index.commitCopies(step, outcomes, context({ askPolicies: silent }));
  expect(waiting).toEqual({ permits: [], refusals: [], unknown: "p.yaml:3:5: no such word" });
  expect(await masks(index)).toMatchObject([{ present: 5, verified: 5 }]);
  expect((await index.run(id))?.progress).toMatchObject({ remaining: 1, skipped: 0 });
  const judged = await index.commitCopies(step, outcomes, context());
  expect(judged).toMatchObject({ permits: [{ reserved: [{ backend: "cold" }] }], refusals: [] });
});

test("nothing is marked for deletion while nobody can say what policies want, and no cancelled removal asks", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const marking = await deletionOf(index, folder)("tombstone");
  const waiting = await index.commitCopies(marking, [], context({ askPolicies: silent }));
  expect(waiting).toMatchObject({ unknown: "p.yaml:3:5: no such word" });
  expect((await index.run(marking.runId))?.progress).toMatchObject({ done: 0, remaining: 2 });
  expect(await index.commitCopies(marking, [], context())).not.toHaveProperty("unknown");
  expect((await index.run(marking.runId))?.progress).toMatchObject({ done: 2, remaining: 0 });

  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const { id } = await index.beginRun(plan, start);
  const batch = await onlyBatch(index, id, "hot");
  await index.markQueued(id, [batch.number]);
  await index.setRunState(id, "cancelled", start);
  const step = stepOf(batch);
  const ended = await index.commitCopies(step, [], context({ askPolicies: silent }));
  expect(ended).toMatchObject({ permits: [], refusals: [] });
  expect(ended).not.toHaveProperty("unknown");
  expect((await index.run(id))?.progress).toMatchObject({ cancelled: 1, remaining: 0 });
});

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
