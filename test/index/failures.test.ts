import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { Connection } from "#index/connection.ts";
import { readFailures } from "#index/failures/read-failures.ts";
import { migrate } from "#index/migrate.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import type { CopyOutcome } from "#model/run.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { cidOf, copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, gone, ledgerLines, onlyBatch } from "./run-steps.ts";

const failed = (sequence: number, code: ErrorCode = "CORRUPT"): CopyOutcome => ({
  sequence,
  outcome: "failed",
  code,
  message: `${code} again`,
});

async function stage(objects = 2) {
  const { index, folder } = await openIndex();
  await index.putObjects(
    Array.from({ length: objects }, (_, number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  /** A run that copies every object to `cold`, with what the worker reported of each. */
  const run = async (outcomes: readonly CopyOutcome[], minutes = 0): Promise<void> => {
    const now = new Date(start.getTime() + minutes * 60_000);
    const plan = await makePlan(
      index,
      folder,
      Array.from(
        { length: objects },
        (_, object) => ({ verb: "replicate", object, source: 0, target: 2 }) as const,
      ),
    );
    const { id } = await index.beginRun(plan, now);
    const batch = await onlyBatch(index, id, "cold");
    await index.commitCopies(stepOf(batch), outcomes, context({ now }));
    await index.finishRuns(now);
  };
  return { index, run, folder };
}

async function failures(index: ObjectIndex) {
  const rows = await index.failures.failures({}, { offset: 0, limit: 10 });
  return rows.map(({ cid, code, failures: times, quarantinedAt }) => ({
    object: [0, 1, 2].findIndex((number) => cidOf(number) === cid),
    code,
    times,
    quarantined: quarantinedAt !== undefined,
  }));
}

test("an object that fails three runs in a row for the same cause is quarantined, no other", async () => {
  const { index, run } = await stage();
  for (let minutes = 0; minutes < 2; minutes += 1) {
    await run([failed(0), copied(1, 1, "cold")], minutes);
  }
  expect(await failures(index)).toEqual([
    { object: 0, code: "CORRUPT", times: 2, quarantined: false },
  ]);
  await run([failed(0), copied(1, 1, "cold")], 2);
  expect(await failures(index)).toEqual([
    { object: 0, code: "CORRUPT", times: 3, quarantined: true },
  ]);
  expect(await ledgerLines(index)).toContain("quarantine 0 CORRUPT");
});

test("another cause begins the count anew, and a success ends it", async () => {
  const { index, run } = await stage(1);
  await run([failed(0)]);
  await run([failed(0)], 1);
  await run([failed(0, "TIMEOUT")], 2);
  expect(await failures(index)).toEqual([
    { object: 0, code: "TIMEOUT", times: 1, quarantined: false },
  ]);
  await run([copied(0, 0, "cold")], 3);
  expect(await failures(index)).toEqual([]);
});

test("what the backend or a person brought about never quarantines an object", async () => {
  const { index, run } = await stage(1);
  for (let minutes = 0; minutes < 5; minutes += 1) await run([failed(0, "NO_SPACE")], minutes);
  expect(await failures(index)).toEqual([
    { object: 0, code: "NO_SPACE", times: 5, quarantined: false },
  ]);
});

test("a policy says after how many failures its objects are quarantined", async () => {
  const { index, run } = await stage(1);
  await index.failures.setLimits([
    { policy: "test", quarantineAfter: 1, suspendAt: undefined, minimum: 50 },
  ]);
  const version = await index.version();
  await index.failures.setLimits([
    { policy: "test", quarantineAfter: 1, suspendAt: undefined, minimum: 50 },
  ]);
  expect(await index.version()).toBe(version);
  await run([failed(0)]);
  expect((await failures(index))[0]).toMatchObject({ times: 1, quarantined: true });
});

test("a released object begins anew, by cause, by object or by condition", async () => {
  const { index, run } = await stage(3);
  await index.failures.setLimits([
    { policy: "test", quarantineAfter: 1, suspendAt: undefined, minimum: 50 },
  ]);
  await run([failed(0), failed(1, "TIMEOUT"), failed(2, "TIMEOUT")]);
  const release = async (selection: Parameters<typeof index.failures.releaseQuarantine>[0]) =>
    await index.failures.releaseQuarantine(selection, "repaired", start);
  expect(await release({ cause: "FORBIDDEN" })).toBe(0);
  expect(await release({ objectId: 1, cause: "TIMEOUT" })).toBe(1);
  const where = { text: "o.size > $1 AND o.object_id = $2", parameters: [1, 2] };
  expect(await release({ where, cause: "TIMEOUT" })).toBe(1);
  expect(await failures(index)).toEqual([
    { object: 0, code: "CORRUPT", times: 1, quarantined: true },
  ]);
  expect((await ledgerLines(index)).filter((line) => line === "quarantine released")).toHaveLength(
    2,
  );
});

test("a removal that fails says that its copy was made, and is counted for the victim", async () => {
  const { index, folder } = await stage(1);
  const plan = await makePlan(index, folder, [
    { verb: "demote", object: 0, source: 0, target: 2, victim: 0 },
  ]);
  const { id } = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, id, "cold"));
  await index.commitCopies(step, [copied(0, 0, "cold")], context());
  const message = "may not be removed";
  await index.commitRemovals(
    step,
    [{ sequence: 0, outcome: "failed", code: "FORBIDDEN", message }],
    start,
  );
  const read = async () => await index.failures.failures({}, { offset: 0, limit: 10 });
  expect(await read()).toMatchObject([
    { step: "removal", backend: "hot", verb: "demote", rule: "test/rule", message },
  ]);
  const again = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const second = await index.beginRun(again, start);
  const evict = stepOf(await onlyBatch(index, second.id, "hot"));
  const { permits } = await index.commitCopies(evict, [], context());
  await index.commitRemovals(evict, [gone(0, permits[0]?.id ?? "")], start);
  expect(await read()).toEqual([]);
});

test("failures that an index had before rules with run: could fail are there after it", async () => {
  const duckdb = await DuckDBInstance.create(":memory:");
  const connection = new Connection(await duckdb.connect());
  await migrate(connection, start, 17);
  await connection.run(`INSERT INTO objects BY NAME SELECT 1 AS object_id, 0 AS cid_key,
    unhex('015512200000000000000000000000000000000000000000000000000000000000000000') AS cid,
    1 AS size, '' AS profile, 1 AS names, TIMESTAMP '2026-01-01' AS created,
    TIMESTAMP '2026-01-01' AS ingested, 0 AS reads, 0 AS heat_weight, 0 AS present_mask,
    0 AS listed_mask, 0 AS sampled_mask, 0 AS verified_mask, 0 AS in_flight_mask, false AS held`);
  await connection.run(`INSERT INTO failing_actions VALUES (1, 'removal', 7, 'CORRUPT', 'rotten', 2,
    TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-02', 'run-1', 0, 'evict', 'test/rule', NULL)`);
  await migrate(connection, start);
  expect(await readFailures(connection, {}, { offset: 0, limit: 9 })).toMatchObject([
    { step: "removal", code: "CORRUPT", message: "rotten", failures: 2, output: undefined },
  ]);
  connection.close();
  duckdb.closeSync();
});

test("failures are counted by cause, filtered, and come in pages", async () => {
  const { index, run } = await stage(3);
  await run([failed(0), failed(1, "TIMEOUT"), failed(2, "TIMEOUT")]);
  expect(await index.failures.causes({})).toEqual([
    { code: "TIMEOUT", count: 2, example: "TIMEOUT again" },
    { code: "CORRUPT", count: 1, example: "CORRUPT again" },
  ]);
  expect(await index.failures.causes({ backend: "hot" })).toEqual([]);
  const selection = { backend: "cold", policy: "test", cause: "TIMEOUT" };
  const page = async (offset: number) =>
    (await index.failures.failures(selection, { offset, limit: 1 })).map(({ cid }) => cid);
  expect([await page(0), await page(1), await page(2)]).toEqual([[cidOf(1)], [cidOf(2)], []]);
});

test("a share of failures suspends a policy once, survives a restart, and its release counts anew", async () => {
  const { index, run } = await stage(3);
  await index.failures.setLimits([
    { policy: "test", quarantineAfter: 9, suspendAt: 0.5, minimum: 4 },
  ]);
  const good = [copied(0, 0, "cold"), copied(1, 1, "cold"), copied(2, 2, "cold")];
  const bad = [failed(0), failed(1, "TIMEOUT"), failed(2, "TIMEOUT")];
  await run(good);
  await run([copied(0, 0, "cold"), failed(1), failed(2)], 1);
  expect(await index.failures.suspensions()).toEqual([]);
  await run(bad, 2);
  const [suspension] = await index.failures.suspensions();
  expect(suspension).toEqual({
    policy: "test",
    since: new Date(start.getTime() + 120_000).toISOString(),
    failed: 5,
    outcomes: 6,
    message:
      "5 of its last 6 actions failed (83 %, suspended from 50 % on), " +
      "most often with TIMEOUT: TIMEOUT again",
  });
  await run(bad, 3);
  expect(await index.failures.suspensions()).toEqual([suspension]);
  expect(await index.failures.releaseSuspension("test", "the disk is mounted again", start)).toBe(
    true,
  );
  expect(await index.failures.releaseSuspension("test", "once more", start)).toBe(false);
  await run(bad, 4);
  expect(await index.failures.suspensions()).toEqual([]);
  await run(bad, 5);
  expect(await index.failures.suspensions()).toHaveLength(1);
});
