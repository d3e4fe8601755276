import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Plan } from "#model/plan.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf, gone, hour, onlyBatch } from "./run-steps.ts";

const replicate: TestAction = { verb: "replicate", object: 0, source: 0, target: 1 };

async function leases(index: ObjectIndex): Promise<readonly string[]> {
  await using session = await index.session();
  const rows = await session.rows({
    text: `SELECT concat_ws(' ', object_id, rule, coalesce(backend_id::VARCHAR, 'gone'),
             date_diff('hour', TIMESTAMP '2026-01-01', since)) AS line FROM lease ORDER BY ALL`,
    parameters: [],
  });
  return rows.map((row) => String(row["line"]));
}

async function withObject() {
  const { index, folder } = await openIndex(["hot", "warm"]);
  await index.putObjects([objectOf(1, [copyOn("hot")])], start);
  const plan = async (action: TestAction, forMs?: number): Promise<Plan> => {
    const made = await makePlan(index, folder, [action]);
    const terms = forMs === undefined ? {} : { leases: { "test/rule": forMs } };
    return { ...made, header: { ...made.header, ...terms } };
  };
  /** Runs a plan with one action; copies count as made `hours` after the start. */
  const run = async (action: TestAction, hours: number, forMs?: number): Promise<void> => {
    const now = new Date(start.getTime() + hours * hour);
    const { id } = await index.beginRun(await plan(action, forMs), now);
    const lane = action.target === undefined ? ["hot", "warm"][action.victim ?? 0] : "warm";
    const step = stepOf(await onlyBatch(index, id, lane ?? ""));
    const done = action.target === undefined ? [] : [copied(0, 1, "warm")];
    const { permits } = await index.commitCopies(step, done, context({ now }));
    for (const permit of permits) await index.commitRemovals(step, [gone(0, permit.id)], now);
    await index.finishRuns(now);
  };
  return { index, run };
}

test("a copy that a rule wants for a time is on lease from when it was made", async () => {
  const { index, run } = await withObject();
  await run(replicate, 5, 24 * hour);
  expect(await leases(index)).toEqual(["0 test/rule 1 5"]);
});

test("a rule that says no time, and a copy that was there already, make no lease", async () => {
  const { index, run } = await withObject();
  await run(replicate, 1);
  await run(replicate, 2, 24 * hour);
  expect(await leases(index)).toEqual([]);
});

test("what is left of a lease when its copy is gone says that the rule had it, and a new copy replaces it", async () => {
  const { index, run } = await withObject();
  await run(replicate, 1, 24 * hour);
  await run({ verb: "evict", object: 0, victim: 1 }, 30);
  expect(await leases(index)).toEqual(["0 test/rule gone 1"]);
  await run(replicate, 40);
  expect(await leases(index)).toEqual(["0 test/rule gone 1"]);
  await run({ verb: "evict", object: 0, victim: 1 }, 41);
  await run(replicate, 50, 24 * hour);
  expect(await leases(index)).toEqual(["0 test/rule 1 50"]);
});

test("a copy that a check finds corrupt is on lease no more", async () => {
  const { index, run } = await withObject();
  await run(replicate, 1, 24 * hour);
  await index.recordEvidence([evidenceOf(1, "warm", "corrupt")], new Date(start.getTime() + hour));
  expect(await leases(index)).toEqual(["0 test/rule gone 1"]);
});
