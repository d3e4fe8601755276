import { tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import type { Batch } from "#model/run.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf, gone, ledgerLines, masks, onlyBatch } from "./run-steps.ts";

test("a demotion copies, gets a permit, removes, and ends with a proof in the ledger", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const plan = await makePlan(index, folder, [
    { verb: "demote", object: 0, source: 0, target: 2, victim: 0 },
  ]);
  const run = await index.beginRun(plan, start);
  expect(run).toMatchObject({ state: "running", progress: { actions: 1, remaining: 1 } });
  expect((await index.beginRun(plan, start)).id).toBe(run.id);
  expect(await masks(index)).toEqual([{ present: 1, verified: 1, flying: 4 }]);
  expect(await index.workGroups(run.id)).toMatchObject([
    { lane: "cold", verb: "demote", victim: "hot", pending: 1, queued: 0 },
  ]);
  const batch = await onlyBatch(index, run.id, "cold");
  expect(batch).toMatchObject({ source: "hot", target: "cold", victim: "hot", from: 0, to: 1 });
  await index.markQueued(run.id, [batch.number]);
  expect(await index.pendingBatches(run.id, "cold", 10)).toEqual([]);
  expect(await index.queuedBatches(run.id, -1, 10)).toHaveLength(1);

  const step = stepOf(batch);
  const first = await index.commitCopies(step, [copied(0, 0, "cold")], context());
  expect(first).toMatchObject({
    permits: [
      {
        sequence: 0,
        cid: cidOf(0),
        backend: "hot",
        authority: "surplus",
        reserved: [{ backend: "cold", confidence: "verified", verifiedAt: start.toISOString() }],
      },
    ],
    refusals: [],
  });
  const version = await index.version();
  expect(await index.commitCopies(step, [copied(0, 0, "cold")], context())).toEqual(first);
  expect(await index.version()).toBe(version + 1);
  expect(await masks(index)).toEqual([{ present: 5, verified: 5, flying: 0 }]);
  expect(await index.checkSummaries()).toEqual([]);

  const permit = first.permits[0]?.id ?? "";
  await index.commitRemovals(step, [gone(0, permit)], start);
  await index.commitRemovals(step, [gone(0, permit)], start);
  expect(await masks(index)).toEqual([{ present: 4, verified: 4, flying: 0 }]);
  const [ended] = await index.finishRuns(start);
  expect(ended).toMatchObject({
    id: run.id,
    state: "completed",
    endedAt: start.toISOString(),
    progress: { actions: 1, done: 1, remaining: 0, bytes: 1_000, bytesDone: 1_000 },
  });
  expect(await index.finishRuns(start)).toEqual([]);
  expect(await ledgerLines(index)).toEqual([
    "run started",
    "permit 0 surplus",
    "proof 0 removed",
    "outcome 0 done the copy on hot is removed",
    "run ended",
  ]);
  expect(await index.checkSummaries()).toEqual([]);
});

test("batches hold one kind of action, at most 1,000 objects or 16 MiB, large objects alone", async () => {
  const { index, folder } = await openIndex();
  const mib = 2 ** 20;
  const sizes = [9 * mib, 9 * mib, 40 * mib, 1, 1];
  const big = sizes.map((size, number) => objectOf(number, [copyOn("hot")], { size }));
  const small = Array.from({ length: 2_100 }, (_, number) =>
    objectOf(number + 10, [copyOn("hot")]),
  );
  await index.putObjects([...big, ...small], start);
  const plan = await makePlan(index, folder, [
    ...big.map((_, object) => ({ verb: "replicate", object, source: 0, target: 1 }) as const),
    ...small.map((_, at) => ({ verb: "replicate", object: at + 5, source: 0, target: 2 }) as const),
    { verb: "tombstone", object: 0 },
  ]);
  const run = await index.beginRun(plan, start);
  const ranges = async (lane: string) =>
    (await index.pendingBatches(run.id, lane, 100)).map(({ from, to }) => [from, to]);
  expect(await ranges("warm")).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 5],
  ]);
  expect(await ranges("cold")).toEqual([
    [5, 1_005],
    [1_005, 2_005],
    [2_005, 2_105],
  ]);
  expect(await ranges("index")).toEqual([[2_105, 2_106]]);
});

test("a segment is the same bytes every time and carries the actions of its range", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const plan = await makePlan(
    index,
    folder,
    [0, 1, 2].map((object) => ({ verb: "evict", object, victim: 0 })),
  );
  const run = await index.beginRun(plan, start);
  const bytes = await index.segment(plan.cid, 1, 3);
  await index.putObjects([objectOf(1, [copyOn("cold")])], start);
  expect(await index.segment(plan.cid, 1, 3)).toEqual(bytes);
  const table = tableFromIPC(bytes);
  expect(table.numRows).toBe(2);
  expect(table.get(0)?.toJSON()).toMatchObject({
    sequence: 1n,
    verb: "evict",
    object_id: 1n,
    size: 1_001n,
    profile: "raw-sha256",
    source: null,
    victim: 0,
    rule: "test/rule",
    requirements: "[]",
  });
  await expect(index.segment(plan.cid, 2, 4)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(index.segment("unknown", 0, 1)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(run.progress.actions).toBe(3);
});

test("segments that are read together are those of each range alone, in the order asked for", async () => {
  const { index, folder } = await openIndex();
  const numbers = Array.from({ length: 9 }, (_, number) => number);
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const plan = await makePlan(
    index,
    folder,
    numbers.map((object) => ({ verb: "evict", object, victim: 0 })),
  );
  await index.beginRun(plan, start);
  const ranges = [
    { from: 6, to: 8 },
    { from: 0, to: 1 },
    { from: 3, to: 6 },
    { from: 1, to: 2 },
  ];
  const alone = ranges.map(({ from, to }) => index.segment(plan.cid, from, to));
  expect(await index.segments(plan.cid, ranges)).toEqual(await Promise.all(alone));
  expect(await index.segments(plan.cid, [])).toEqual([]);
  const kept = await index.segment(plan.cid, 6, 8);
  const readAgain = await index.segment(plan.cid, 6, 8);
  expect([kept, readAgain]).toEqual([await alone[0], await alone[0]]);
  const beyond = index.segments(plan.cid, [...ranges, { from: 8, to: 10 }]);
  await expect(beyond).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("failed and cancelled copies end their actions, with causes counted by code", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1, 2, 3].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const plan = await makePlan(
    index,
    folder,
    [0, 1, 2, 3].map((object) => ({ verb: "demote", object, source: 0, target: 2, victim: 0 })),
  );
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "cold"));
  const answer = await index.commitCopies(
    step,
    [
      { sequence: 0, outcome: "failed", code: "NO_SPACE", message: "full" },
      { sequence: 1, outcome: "cancelled", reason: "stopped" },
      copied(2, 2, "cold", evidenceOf(2, "cold", "corrupt")),
    ],
    context(),
  );
  expect(answer).toEqual({ permits: [], refusals: [] });
  const [ended] = await index.finishRuns(start);
  expect(ended).toMatchObject({
    state: "failed",
    progress: {
      failed: 3,
      cancelled: 1,
      causes: [
        { code: "CORRUPT", count: 1 },
        { code: "INTERNAL", count: 1 },
        { code: "NO_SPACE", count: 1, example: "full" },
      ],
    },
  });
  expect(await masks(index)).toEqual(
    Array.from({ length: 4 }, () => ({ present: 1, verified: 1, flying: 0 })),
  );
  expect(await index.checkSummaries()).toEqual([]);
});

test("a cancelled run ends what no worker was given, and grants nothing more", async () => {
  const { index, folder } = await openIndex();
  const objects = Array.from({ length: 1_500 }, (_, number) =>
    objectOf(number, [copyOn("hot"), copyOn("warm")]),
  );
  await index.putObjects(objects, start);
  const plan = await makePlan(
    index,
    folder,
    objects.map((_, object) => ({ verb: "demote", object, source: 0, target: 2, victim: 0 })),
  );
  const run = await index.beginRun(plan, start);
  const [queued] = await index.pendingBatches(run.id, "cold", 1);
  await index.markQueued(run.id, [0]);
  await index.setRunState(run.id, "paused", start);
  expect(await index.pendingBatches(run.id, "cold", 1)).toEqual([]);
  const cancelled = await index.setRunState(run.id, "cancelled", start);
  expect(cancelled).toMatchObject({
    state: "cancelled",
    progress: { cancelled: 500, remaining: 1_000 },
  });
  const done = objects.slice(0, 1_000).map((_, number) => copied(number, number, "cold"));
  const answer = await index.commitCopies(stepOf(queued as Batch), done, context());
  expect(answer).toEqual({ permits: [], refusals: [] });
  const [ended] = await index.finishRuns(start);
  expect(ended).toMatchObject({ state: "cancelled", progress: { cancelled: 1_500, remaining: 0 } });
  await expect(index.setRunState(run.id, "running", start)).rejects.toMatchObject({
    code: "CONFLICT",
  });
  expect(await index.checkSummaries()).toEqual([]);
});

test("queued batches whose flows were lost become pending under a new attempt", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot"), copyOn("warm")])),
    start,
  );
  const plan = await makePlan(index, folder, [
    { verb: "evict", object: 0, victim: 0 },
    { verb: "evict", object: 1, victim: 1 },
  ]);
  const run = await index.beginRun(plan, start);
  await index.markQueued(run.id, [0, 1]);
  expect(await index.requeue(run.id, [1])).toBe(1);
  expect(await index.workGroups(run.id)).toMatchObject([
    { lane: "hot", pending: 0, queued: 1 },
    { lane: "warm", pending: 1, queued: 0 },
  ]);
  expect(await index.requeue(run.id)).toBe(1);
  const batch = await onlyBatch(index, run.id, "hot");
  expect(batch.attempt).toBe(1);
  const first = await index.commitCopies(stepOf(batch), [], context());
  await index.markQueued(run.id, [0]);
  await index.requeue(run.id, [0]);
  const again = stepOf(await onlyBatch(index, run.id, "hot"));
  expect(await index.commitCopies(again, [], context())).toEqual(first);
});

test("a plan that does not fit the index is refused and leaves nothing behind", async () => {
  const { index, folder } = await openIndex();
  const other = await openIndex();
  await other.index.putObjects([objectOf(5, [copyOn("hot")]), objectOf(6)], start);
  await index.putObjects([objectOf(6), objectOf(5, [copyOn("hot")])], start);
  const strange = await makePlan(other.index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  await expect(index.beginRun(strange, start)).rejects.toMatchObject({ code: "STALE_PLAN" });
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 1, victim: 0 }]);
  const totals = { ...plan.header.totals, actions: 2 };
  await expect(
    index.beginRun({ ...plan, header: { ...plan.header, totals } }, start),
  ).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(
    index.beginRun({ ...plan, rowsPath: `${folder}/none.parquet` }, start),
  ).rejects.toMatchObject({ code: "UNREADABLE" });
  expect(await index.runs()).toEqual([]);
});

test("a plan whose rows do not stand in their order is refused", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")]), objectOf(1, [copyOn("hot")])], start);
  const plan = await makePlan(index, folder, [
    { verb: "replicate", object: 0, source: 0, target: 2 },
    { verb: "replicate", object: 1, source: 0, target: 2 },
  ]);
  const rowsPath = `${folder}/reversed.parquet`;
  await using session = await index.session();
  const reversed = `SELECT * FROM read_parquet('${plan.rowsPath}') ORDER BY sequence DESC`;
  await session.exportParquet({ text: reversed, parameters: [] }, rowsPath);
  await expect(index.beginRun({ ...plan, rowsPath }, start)).rejects.toMatchObject({
    code: "CORRUPT",
  });
  expect(await index.runs()).toEqual([]);
});
