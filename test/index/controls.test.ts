import { expect, test } from "vitest";
import { ObjectIndex } from "#index/object-index.ts";
import type { ControlTarget } from "#model/control.ts";
import { pausedRule } from "#jobs/admission/paused.ts";
import type { Work } from "#model/wait.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, ledgerLines } from "./run-steps.ts";

const ada = { reason: "slow provider", actor: "ada@example" };
const hour = 3_600_000;
const later = new Date(start.getTime() + hour);

test("a pause survives the process, is in the ledger, and ends when it is resumed", async () => {
  const { index, path } = await openIndex();
  await index.controls.pause({ scope: "backend", name: "cold" }, ada, start);
  await index.controls.pause({ scope: "everything", name: "" }, { ...ada, until: later }, start);
  await index.close();
  const again = await ObjectIndex.open(path, { threads: 2, now: () => start });
  expect(await again.controls.pauses()).toEqual([
    { scope: "backend", name: "cold", ...ada, since: start.toISOString(), until: undefined },
    {
      scope: "everything",
      name: "",
      ...ada,
      since: start.toISOString(),
      until: later.toISOString(),
    },
  ]);
  expect(await again.controls.resume({ scope: "backend", name: "cold" }, ada, start)).toBe(true);
  expect(await again.controls.resume({ scope: "backend", name: "cold" }, ada, start)).toBe(false);
  await again.controls.endExpiredPauses(start);
  expect(await again.controls.pauses()).toHaveLength(1);
  await again.controls.endExpiredPauses(later);
  expect(await again.controls.pauses()).toEqual([]);
  expect(await ledgerLines(again)).toEqual([
    "control paused backend cold",
    "control paused everything",
    "control resumed backend cold",
    "control resumed everything",
  ]);
  await again.close();
});

test("a paused run is resumed when its time is over, and its pause ends with a cancel", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const run = await index.beginRun(await makePlan(index, folder, [replicate(0, 2)]), start);
  const target = { scope: "run", name: run.id } as const;
  await index.controls.pause(target, { ...ada, until: later }, start);
  expect(await index.run(run.id)).toMatchObject({ state: "paused" });
  await index.controls.endExpiredPauses(later);
  expect(await index.run(run.id)).toMatchObject({ state: "running" });
  await index.controls.pause(target, ada, later);
  await index.controls.cancel(target, ada, later);
  expect(await index.controls.pauses()).toEqual([]);
  expect(await index.finishRuns(later)).toMatchObject([{ state: "cancelled" }]);
});

const work: Work = {
  runId: "run-1",
  policy: "cool",
  verb: "demote",
  source: "hot",
  target: "cold",
  victim: "hot",
  lane: "cold",
  node: "worker-1",
};

test.each<[ControlTarget, Partial<Work>]>([
  [{ scope: "run", name: "run-1" }, { runId: "run-2" }],
  [{ scope: "policy", name: "cool" }, { policy: "warm" }],
  [
    { scope: "backend", name: "hot" },
    { source: "warm", victim: null },
  ],
  [{ scope: "backend", name: "cold" }, { target: "warm" }],
  [{ scope: "node", name: "worker-1" }, { node: "worker-2" }],
  [{ scope: "node", name: "worker-1" }, { node: undefined }],
])("a pause of %o holds its own work, not that with %o", async (target, other) => {
  const pause = { ...target, ...ada, since: start.toISOString(), until: undefined };
  const rule = pausedRule({
    pauses: () => Promise.resolve([pause]),
    endExpiredPauses: () => Promise.reject(new Error("nothing has expired")),
  });
  await rule.refresh?.(start);
  expect(rule.judge(work, start)).toMatchObject({
    reason: "paused",
    message: expect.stringContaining(
      "by ada@example since 2026-01-01T00:00:00.000Z: slow provider",
    ),
  });
  expect(rule.judge({ ...work, ...other }, start)).toBeUndefined();
});

test("cancelling a backend ends its pending work; the rest of the run goes on", async () => {
  const { index, folder } = await openIndex();
  const count = 6;
  await index.putObjects(
    many(count, (at) => objectOf(at, [copyOn("hot")])),
    start,
  );
  const actions = many(count, (at) => replicate(at, at < count / 2 ? 1 : 2));
  const run = await index.beginRun(await makePlan(index, folder, actions), start);
  const backend = { scope: "backend", name: "cold" } as const;
  expect(await index.controls.affected(backend)).toMatchObject({ runs: 1, actions: 3, queued: 0 });
  await index.controls.cancel(backend, ada, start);
  expect(await index.run(run.id)).toMatchObject({
    state: "running",
    progress: { cancelled: 3, remaining: 3 },
  });
  expect(await index.pendingBatches(run.id, "warm", 10)).toHaveLength(1);
  expect(await index.controls.cancelledWork()).toEqual([]);
  expect(await ledgerLines(index)).toContain(
    "outcome 3 cancelled backend cold was cancelled by ada@example: slow provider",
  );
});

test("work that a worker may hold is marked, and ends as cancelled with its commit", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot")])], start);
  const demote = { verb: "demote", object: 0, source: 0, target: 2, victim: 0 } as const;
  const run = await index.beginRun(await makePlan(index, folder, [demote]), start);
  const [batch] = await index.pendingBatches(run.id, "cold", 1);
  if (batch === undefined) throw new Error("no batch");
  await index.markQueued(run.id, [batch.number]);
  await index.controls.cancel({ scope: "backend", name: "cold" }, ada, start);
  const { policy } = batch;
  expect(await index.controls.cancelledWork()).toMatchObject([{ runId: run.id, policy }]);
  const result = await index.commitCopies(stepOf(batch), [copied(0, 0, "cold")], context());
  // The copy that was made is kept; what it was made for is not done.
  expect(result.permits).toEqual([]);
  expect(await index.run(run.id)).toMatchObject({ progress: { cancelled: 1, remaining: 0 } });
  expect(await index.checkSummaries()).toEqual([]);
});

test("cancelled objects leave their batch, and a worker is told to leave them out", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects(
    many(5, (at) => objectOf(at, [copyOn("hot")])),
    start,
  );
  const plan = await makePlan(
    index,
    folder,
    many(5, (at) => replicate(at, 2)),
  );
  const run = await index.beginRun(plan, start);
  const where = { text: "o.object_id IN ($1, $2)", parameters: [1, 3] };
  const everything = { scope: "everything", name: "" } as const;
  expect(await index.controls.cancelObjects(everything, where, ada, start)).toBe(2);
  expect(await index.controls.cancelObjects(everything, where, ada, start)).toBe(0);
  const [batch] = await index.pendingBatches(run.id, "cold", 10);
  expect(batch).toMatchObject({ actions: 5, ended: [1, 3] });
});

test("holding ten thousand objects is one statement, and changes none twice", async () => {
  const { index } = await openIndex();
  await index.putObjects(
    many(10_000, (at) => objectOf(at, [copyOn("hot")])),
    start,
  );
  const where = { text: "o.size % 2 = $1", parameters: [0] };
  expect(await index.controls.countObjects(where)).toMatchObject({ objects: 5_000 });
  expect(await index.controls.holdObjects(where, true, "case 17", start)).toBe(5_000);
  expect(await index.controls.holdObjects(where, true, "case 18", start)).toBe(0);
  expect(await index.objectDetail(0, start)).toMatchObject({
    held: true,
    history: [{ kind: "hold", reason: "done: case 17" }],
  });
  expect(await index.controls.holdObjects(where, false, "case closed", start)).toBe(5_000);
  expect(await index.objectDetail(0, start)).toMatchObject({ held: false });
});

function replicate(object: number, target: number): TestAction {
  return { verb: "replicate", object, source: 0, target };
}

function many<Item>(count: number, make: (at: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
