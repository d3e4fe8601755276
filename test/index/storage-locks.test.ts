import { expect, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Evidence, StorageLock } from "#model/copy.ts";
import { makePlan, stepOf, type TestAction } from "./make-plan.ts";
import { copyOn, objectOf, openIndex, start } from "./open-index.ts";
import { context, copied, evidenceOf, gone } from "./run-steps.ts";

const minute = 60_000;
const at = (minutes: number): Date => new Date(start.getTime() + minutes * minute);
const legalHold: StorageLock = { legalHold: true };
const retention = { legalHold: false, until: at(600).toISOString(), mode: "GOVERNANCE" };
/** Nobody can lift it. */
const compliance: StorageLock = { ...retention, mode: "COMPLIANCE" };
/** What is believed after a refusal that did not say until when. */
const unshown: StorageLock = { legalHold: false, until: at(60).toISOString() };

function seen(object: number, lock: StorageLock | null, minutes: number, backend = "hot") {
  return { ...evidenceOf(object, backend), checkedAt: at(minutes).toISOString(), lock };
}

async function tell(index: ObjectIndex, ...evidence: Evidence[]): Promise<void> {
  await index.recordEvidence(evidence, at(1_000));
}

/** The locks that the index knows, in words. */
async function locks(index: ObjectIndex): Promise<readonly string[]> {
  await using session = await index.session();
  const text = "FROM lock ORDER BY object_id, backend_id";
  return (await session.rows({ text, parameters: [] })).map((row) => {
    const until = row["until"] instanceof Date ? row["until"].getTime() - start.getTime() : "-";
    const held = row["legal_hold"] === true ? "held" : "not held";
    return `${String(row["object_id"])} ${String(row["backend"])} ${held} ${until} ${String(row["mode"])}`;
  });
}

async function indexOf(...objects: readonly number[]): Promise<ObjectIndex> {
  const { index } = await openIndex();
  const copies = [copyOn("hot"), copyOn("warm")];
  await index.putObjects(
    objects.map((number) => objectOf(number, copies)),
    start,
  );
  return index;
}

test("the last look counts, and what nobody looked at stays as it was", async () => {
  const index = await indexOf(0, 1, 2);
  await tell(index, seen(0, legalHold, 5), seen(1, retention, 5), seen(2, null, 5));
  await tell(index, evidenceOf(0, "hot"), seen(1, null, 4), seen(1, legalHold, 3));
  const held = "0 hot held - null";
  expect(await locks(index)).toEqual([held, `1 hot not held ${600 * minute} GOVERNANCE`]);
  await tell(index, seen(1, { ...retention, legalHold: true }, 6), seen(1, retention, 5));
  expect(await locks(index)).toEqual([held, `1 hot held ${600 * minute} GOVERNANCE`]);
  await tell(index, seen(0, null, 7), seen(1, null, 7));
  expect(await locks(index)).toEqual([]);
});

test("a lock that is not shown is ended by time or by a look that sees one, not by seeing none", async () => {
  const index = await indexOf(0, 1, 2);
  await tell(index, seen(0, unshown, 5), seen(1, unshown, 5), seen(2, unshown, 5));
  await tell(index, seen(0, null, 6), seen(1, retention, 6), seen(2, null, 61));
  expect(await locks(index)).toEqual([
    `0 hot not held ${60 * minute} null`,
    `1 hot not held ${600 * minute} GOVERNANCE`,
  ]);
});

test("a retention in compliance mode is ended by time alone, whoever sees nothing or less of it", async () => {
  const index = await indexOf(0, 1, 2, 3);
  const all = [0, 1, 2, 3].map((number) => seen(number, compliance, 5));
  await tell(index, ...all);
  const whole = (object: number) => `${object} hot not held ${600 * minute} COMPLIANCE`;
  await tell(
    index,
    seen(0, null, 6),
    seen(1, unshown, 6),
    seen(2, { ...compliance, until: at(30).toISOString() }, 6),
    seen(3, legalHold, 6),
  );
  const held = `3 hot held ${600 * minute} COMPLIANCE`;
  expect(await locks(index)).toEqual([whole(0), whole(1), whole(2), held]);
  // A legal hold beside it is lifted all the same; and it may be made longer.
  const longer = { ...compliance, until: at(700).toISOString() };
  await tell(index, seen(2, longer, 7), seen(3, null, 7));
  const made = `2 hot not held ${700 * minute} COMPLIANCE`;
  expect(await locks(index)).toEqual([whole(0), whole(1), made, whole(3)]);
  await tell(index, seen(0, null, 601), seen(1, null, 601), seen(2, null, 601));
  expect(await locks(index)).toEqual([made, whole(3)]);
});

test("a refusal that shows no lock replaces none that holds longer", async () => {
  const index = await indexOf(0, 1, 2);
  const short: StorageLock = { ...retention, until: at(10).toISOString() };
  await tell(index, seen(0, retention, 5), seen(1, legalHold, 5), seen(2, short, 5));
  await tell(index, ...[0, 1, 2].map((number) => seen(number, unshown, 6)));
  expect(await locks(index)).toEqual([
    `0 hot not held ${600 * minute} GOVERNANCE`,
    "1 hot held - null",
    `2 hot not held ${60 * minute} null`,
  ]);
});

test("known locks and new copies share the places of those that are asked about", async () => {
  const index = await indexOf(0, 1, 2, 3, 4, 5, 6);
  const locked = [legalHold, retention, legalHold, compliance].entries();
  for (const [number, lock] of locked) await tell(index, seen(number, lock, 9 - number));
  const { inventories } = index;
  const asked = async (limit: number) => {
    const copies = await inventories.copiesToAskForLocks("hot", start, limit);
    return copies.map(({ objectId }) => objectId);
  };
  // The look longest ago first, none that nobody can lift; then 4, 5 and 6, which are new.
  expect(await asked(10)).toEqual([2, 4, 1, 5, 0, 6]);
  expect(await asked(3)).toEqual([2, 4, 1]);
});

test("a lock goes with its copy, and what was never a copy has none", async () => {
  const { index, folder } = await openIndex();
  const copies = [copyOn("hot"), copyOn("warm")];
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, copies)),
    start,
  );
  const all = [seen(0, legalHold, 1), seen(1, legalHold, 1), seen(1, legalHold, 1, "warm")];
  await tell(index, ...all, seen(0, legalHold, 1, "cold"));
  await tell(index, { ...seen(1, null, 2), finding: "absent" });
  expect(await locks(index)).toEqual(["0 hot held - null", "1 warm held - null"]);
  const batchOf = async (action: TestAction, lane: string) => {
    const run = await index.beginRun(await makePlan(index, folder, [action]), at(3));
    const [batch] = await index.pendingBatches(run.id, lane, 1);
    if (batch === undefined) throw new Error("no batch");
    return stepOf(batch);
  };
  const evicted = await batchOf({ verb: "evict", object: 0, victim: 0 }, "hot");
  const { permits } = await index.commitCopies(evicted, [], context({ now: at(3) }));
  const removals = permits.map(({ id, sequence }) => gone(sequence, id));
  expect(removals).toHaveLength(1);
  await index.commitRemovals(evicted, removals, at(4));
  expect(await locks(index)).toEqual(["1 warm held - null"]);
  // A copy that is written under a lock is known to be locked from then on.
  const written = await batchOf({ verb: "replicate", object: 0, source: 1, target: 2 }, "cold");
  const outcome = copied(0, 0, "cold", seen(0, retention, 5, "cold"));
  await index.commitCopies(written, [outcome], context({ now: at(5) }));
  expect(await locks(index)).toEqual([
    `0 cold not held ${600 * minute} GOVERNANCE`,
    "1 warm held - null",
  ]);
});
