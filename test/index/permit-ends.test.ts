import { expect, test } from "vitest";
import type { Evidence } from "#model/copy.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, evidenceOf, gone, hour, ledgerLines, masks, onlyBatch } from "./run-steps.ts";

test("a removal of unknown outcome keeps its reservation until the backend was asked", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const plan = await makePlan(
    index,
    folder,
    [0, 1, 2].map((object) => ({ verb: "evict", object, victim: 0 })),
  );
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "hot"));
  const { permits } = await index.commitCopies(step, [], context());
  await index.commitRemovals(
    step,
    [{ sequence: 0, outcome: "failed", code: "TIMEOUT", message: "no answer" }],
    start,
  );
  expect((await index.run(run.id))?.progress.remaining).toBe(3);
  // The two others are only open: nobody tried them, or is at them.
  expect(await index.controls.openWork(run.id)).toMatchObject([
    { unsettled: [0], settledAt: expect.any(String) },
  ]);
  expect(await index.expiredPermits(start)).toEqual([]);
  const later = new Date(start.getTime() + hour);
  expect(await index.expiredPermits(later)).toHaveLength(3);
  const settle = async (number: number, finding: Evidence["finding"]) => {
    await index.settlePermit(permits[number]?.id ?? "", evidenceOf(number, "hot", finding), later);
  };
  await settle(0, "present");
  await settle(1, "absent");
  await settle(2, "present");
  await settle(1, "present");
  expect(await index.expiredPermits(later)).toEqual([]);
  expect(await masks(index)).toMatchObject([{ present: 3 }, { present: 2 }, { present: 3 }]);
  expect(await ledgerLines(index)).toContain("proof 1 settled");
  // Nobody is known to have tried the third: it gets another permit.
  const again = await index.commitCopies(step, [], context({ now: later }));
  expect(again.permits).toMatchObject([{ sequence: 2 }]);
  expect(again.permits[0]?.id).not.toBe(permits[2]?.id);
  await index.commitRemovals(
    step,
    [gone(2, again.permits[0]?.id ?? "", [evidenceOf(2, "warm")])],
    later,
  );
  const [ended] = await index.finishRuns(later);
  expect(ended).toMatchObject({
    state: "partial",
    progress: { done: 2, failed: 1, causes: [{ code: "TIMEOUT", count: 1, example: "no answer" }] },
  });
  expect((await index.checkAudit()).findings).toEqual([]);
});

test("a removal whose permit ran out before its turn is judged anew, for another permit", async () => {
  const { index, folder } = await openIndex();
  const both = [copyOn("hot"), copyOn("warm")];
  await index.putObjects([objectOf(0, both), objectOf(1, both)], start);
  const evicts = [0, 1].map((object) => ({ verb: "evict", object, victim: 0 }) as const);
  const run = await index.beginRun(await makePlan(index, folder, evicts), start);
  const step = stepOf(await onlyBatch(index, run.id, "hot"));
  const first = (await index.commitCopies(step, [], context())).permits;
  const later = new Date(start.getTime() + hour + 1);
  const reason = "the permit ran out";
  await index.commitRemovals(
    step,
    [0, 1].map((sequence) => ({ sequence, outcome: "expired", reason })),
    later,
  );
  expect(await index.finishRuns(later)).toEqual([]);
  expect((await index.run(run.id))?.progress).toMatchObject({ remaining: 2, failed: 0 });
  expect(await index.checkSummaries()).toEqual([]);

  // What was true when the first was given need not be true now.
  await index.hold([1], "a lawsuit", later);
  const second = await index.commitCopies(step, [], context({ now: later }));
  expect(second.permits).toMatchObject([{ sequence: 0 }]);
  expect(second.refusals).toMatchObject([{ sequence: 1, reason: "held" }]);
  const [permit] = second.permits;
  expect(permit?.expiresAt).toBe(new Date(later.getTime() + hour).toISOString());
  const removed = (permitId = "") =>
    index.commitRemovals(step, [gone(0, permitId, [evidenceOf(0, "warm")])], later);
  await expect(removed(first[0]?.id)).rejects.toMatchObject({ code: "INTERNAL" });
  await removed(permit?.id);
  expect(await index.finishRuns(later)).toMatchObject([
    { state: "completed", progress: { done: 1, skipped: 1 } },
  ]);
  expect(await index.checkSummaries()).toEqual([]);
  expect((await index.checkAudit()).findings).toEqual([]);
});

test("a permit that ended unused still counts for others until it has run out", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot"), copyOn("warm")])], start);
  const evict = async (victim: number, lane: string, now: Date) => {
    const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim }]);
    const run = await index.beginRun(plan, now);
    const step = stepOf(await onlyBatch(index, run.id, lane));
    return { step, answer: await index.commitCopies(step, [], context({ now })) };
  };
  const first = await evict(0, "hot", start);
  await index.commitRemovals(
    first.step,
    [{ sequence: 0, outcome: "skipped", reason: "no" }],
    start,
  );
  expect((await evict(1, "warm", start)).answer.refusals).toHaveLength(1);
  const later = new Date(start.getTime() + hour + 121_000);
  expect((await evict(1, "warm", later)).answer.permits).toHaveLength(1);
});
