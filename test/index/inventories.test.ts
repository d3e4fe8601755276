import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { array, assert, asyncProperty, integer, nat, record } from "fast-check";
import { expect, test } from "vitest";
import type {
  InventorySource,
  InventoryStep,
  ListedEntry,
} from "#index/inventories/inventory-store.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { context, onlyBatch } from "./run-steps.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";

const begunAt = new Date(start.getTime() + 3_600_000);

function entry(number: number, bytes = copyOn("hot").copy.bytes): ListedEntry {
  const copy = { locator: `place/${number}`, form: "file", bytes } as const;
  return { cid: cidOf(number), copy, size: bytes, cursor: String(number).padStart(4, "0") };
}

const foreign = (cursor: string): ListedEntry => ({ foreign: true, cursor });

/** A backend that lists in the order of cursors, and breaks down behind so many entries. */
function lister(entries: readonly ListedEntry[], breaksAfter = Infinity) {
  const asked: (string | undefined)[] = [];
  async function* list(cursor: string | undefined) {
    asked.push(cursor);
    await Promise.resolve();
    let told = 0;
    for (const one of entries.toSorted((a, b) => (a.cursor < b.cursor ? -1 : 1))) {
      if (cursor !== undefined && one.cursor <= cursor) continue;
      if (told === breaksAfter) throw new Error("connection lost");
      told += 1;
      yield one;
    }
  }
  return { asked, list };
}

const nothing = () => Promise.resolve(undefined);

async function take(
  index: ObjectIndex,
  folder: string,
  list: InventorySource["entries"],
  more: Partial<InventorySource> = {},
): Promise<InventoryStep> {
  const source = { backend: "hot", source: "listing", folder, begunAt };
  const flags = { dryRun: false, restart: false, isLate: false, partEntries: 2, look: nothing };
  const steps = await Array.fromAsync(
    index.inventories.take({ ...source, ...flags, entries: list, ...more }),
  );
  const last = steps.at(-1);
  if (last === undefined) throw new Error("an inventory has steps");
  return last;
}

async function differences(index: ObjectIndex): Promise<readonly unknown[]> {
  await using session = await index.session();
  return await session.rows({
    text: `SELECT kind, detail, object_id AS id, locator, bytes, believed_bytes AS believed
      FROM differences ORDER BY locator`,
    parameters: [],
  });
}

test("an inventory that was cut off goes on behind its last whole file", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [1, 2, 3].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const entries = [1, 2, 3, 4].map((number) => entry(number));
  const first = lister([...entries, foreign("0000"), foreign("0003x")], 4);
  await expect(take(index, folder, first.list)).rejects.toThrow("connection lost");
  expect(await differences(index)).toEqual([]);
  const second = lister([...entries, foreign("0000"), foreign("0003x")]);
  const last = await take(index, folder, second.list);
  expect(second.asked).toEqual(["0002"]);
  expect(last).toMatchObject({
    earlier: 3,
    foreign: 2,
    found: { listed: 4, confirmed: 3, lost: 0, unexpected: 1, changed: 0, begunAt },
  });
  await expect(readdir(folder)).rejects.toThrow("ENOENT");
  expect(await index.checkSummaries()).toEqual([]);
});

test("what differs is kept with what was found and what was believed, of the newest only", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [1, 2, 3].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const { list } = lister([entry(2, 1), entry(3), entry(4)]);
  const { found } = await take(index, folder, list);
  expect(found).toMatchObject({ listed: 3, confirmed: 1, lost: 1, unexpected: 1, changed: 1 });
  const believed = copyOn("hot").copy.bytes;
  expect(await differences(index)).toMatchObject([
    { kind: "lost", bytes: null, believed },
    { kind: "changed", detail: "size", locator: "place/2", bytes: 1, believed },
    { kind: "unexpected", locator: "place/4", believed: null },
  ]);
  const later = { begunAt: new Date(begunAt.getTime() + 3_600_000) };
  const next = lister([entry(1), entry(2, 1), entry(3), entry(4)]);
  await take(index, folder, next.list, later);
  expect(await differences(index)).toMatchObject([
    { kind: "changed", detail: "returned", locator: "place/1" },
    { kind: "changed", detail: "corrupt", locator: "place/2" },
  ]);
});

test("a listing hears what present copies take, and of content listed twice the first is the copy", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [1, 2, 3, 4].map((number) => objectOf(number, [copyOn(number === 4 ? "cold" : "hot")])),
    start,
  );
  const gone = lister([entry(1), entry(3)]);
  await take(index, folder, gone.list);
  const heard: (number | undefined)[] = [];
  const { bytes } = copyOn("hot").copy;
  const twice = { ...entry(1, 77), cursor: "0009" };
  const list: InventorySource["entries"] = async function* (_, knownBytes) {
    // 2 is lost by now, 4 is on another backend, and 5 nobody has heard of.
    heard.push(...(await knownBytes([5, 3, 2, 4, 1].map(cidOf))));
    yield* [entry(1), entry(3), twice];
  };
  const later = { begunAt: new Date(begunAt.getTime() + 3_600_000) };
  const { found } = await take(index, folder, list, later);
  expect(heard).toEqual([undefined, bytes, undefined, undefined, bytes]);
  expect(found).toMatchObject({ listed: 2, confirmed: 2, changed: 0 });
});

test("a dry run finds what the inventory then finds, and changes nothing", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [1, 2].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const version = await index.version();
  const { list } = lister([entry(2), entry(3)]);
  const dry = await take(index, folder, list, { dryRun: true });
  expect([await index.version(), await differences(index)]).toEqual([version, []]);
  expect((await take(index, folder, list)).found).toEqual(dry.found);
});

test("of what may be newer than the listing, the backend itself is asked", async () => {
  const { index } = await openIndex(["hot", "warm"], { clockSkewMs: 90_000 });
  const folder = join(await temporaryFolder(), "hot");
  const lately = new Date(begunAt.getTime() - 30_000);
  const late = { ...copyOn("hot"), checkedAt: lately };
  await index.putObjects([objectOf(1, [late]), objectOf(2, [copyOn("hot")])], start);
  await index.putObjects(
    [3, 4].map((number) => objectOf(number, [late])),
    lately,
  );
  const asked: string[] = [];
  const look: InventorySource["look"] = ({ cid }) => {
    asked.push(cid);
    const there = [1, 4].find((number) => cidOf(number) === cid);
    return Promise.resolve(there === undefined ? undefined : copyOn("hot").copy);
  };
  // 1 and 3 are not listed, 4 is listed with another size; 2 was checked long ago.
  const { found } = await take(index, folder, lister([entry(4, 1)]).list, { look });
  expect(asked).toEqual([1, 3, 4].map((number) => cidOf(number)));
  expect(found).toMatchObject({ listed: 2, confirmed: 2, lost: 2, changed: 0 });
});

test("however many copies may be newer than the listing, the backend is asked for each", async () => {
  const { index } = await openIndex(["hot"], { clockSkewMs: 90_000 });
  const folder = join(await temporaryFolder(), "hot");
  // More than two of the pieces in which DuckDB hands rows over, and more than a page.
  const numbers = Array.from({ length: 10_500 }, (_, number) => number);
  const lately = new Date(begunAt.getTime() - 30_000);
  const late = { ...copyOn("hot"), checkedAt: lately };
  await index.putObjects(
    numbers.map((number) => objectOf(number, [late])),
    lately,
  );
  const asked = new Set<string>();
  const look: InventorySource["look"] = ({ cid }) => {
    asked.add(cid);
    return Promise.resolve(copyOn("hot").copy);
  };
  const { found } = await take(index, folder, lister([]).list, { look });
  expect(asked.size).toBe(numbers.length);
  expect(found).toMatchObject({ confirmed: numbers.length, lost: 0 });
});

test("a copy that a permit may just have given up is not lost: its commit will tell", async () => {
  const { index, folder } = await openIndex();
  await index.putObjects([objectOf(0, [copyOn("hot"), copyOn("warm")])], start);
  const plan = await makePlan(index, folder, [{ verb: "evict", object: 0, victim: 0 }]);
  const run = await index.beginRun(plan, start);
  const step = stepOf(await onlyBatch(index, run.id, "hot"));
  const { permits } = await index.commitCopies(step, [], context());
  expect(permits).toHaveLength(1);
  const { found } = await take(index, join(folder, "hot"), lister([]).list);
  expect(found).toMatchObject({ listed: 0, lost: 0 });
  expect(await index.checkSummaries()).toEqual([]);
});

test("a listing that was compared already is not taken for one that was cut off", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects([objectOf(1, [copyOn("hot")])], start);
  const { list } = lister([entry(1)]);
  // Cut off between the comparison and the removal of what was listed.
  const source = { backend: "hot", source: "listing", folder, begunAt, look: nothing };
  const flags = { dryRun: true, restart: false, isLate: false };
  const cut = index.inventories.take({ ...source, ...flags, entries: list });
  for await (const { phase } of cut) if (phase === "comparing") break;
  expect(await readdir(folder)).toHaveLength(2);
  await take(index, join(await temporaryFolder(), "other"), list);
  const again = lister([entry(1)]);
  await take(index, folder, again.list);
  expect(again.asked).toEqual([undefined]);
});

test("cut off anywhere and gone on with: the same index as in one go", async () => {
  const facts = array(record({ number: nat(8), bytes: nat(2) }), { maxLength: 8 });
  const cuts = array(nat(6), { maxLength: 2 });
  await assert(
    asyncProperty(facts, cuts, integer({ min: 1, max: 3 }), async (some, points, partEntries) => {
      const entries = [...new Map(some.map((one) => [one.number, one])).values()].map(
        ({ number, bytes }) => (bytes === 0 ? entry(number) : entry(number, bytes)),
      );
      const inOneGo = await outcome(entries, [], partEntries);
      expect(await outcome(entries, points, partEntries)).toEqual(inOneGo);
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 60_000);

/** What an inventory finds that is cut off behind so many entries, each time it goes on. */
async function outcome(
  entries: readonly ListedEntry[],
  cuts: readonly number[],
  partEntries: number,
): Promise<unknown> {
  const { index } = await openIndex();
  const known = [0, 2, 4].map((number) => objectOf(number, [copyOn("hot")]));
  await index.putObjects(known, start);
  const folder = join(await temporaryFolder(), "hot");
  for (const cut of [...cuts, Infinity]) {
    const { list } = lister(entries, cut);
    const last = await take(index, folder, list, { partEntries }).catch(() => undefined);
    if (last === undefined) continue;
    expect(await index.checkSummaries()).toEqual([]);
    return { found: last.found, differences: await differences(index) };
  }
  throw new Error("the last one is not cut off");
}

test("what a backend calls its copies becomes the name of objects that have none", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [1, 2].map((number) =>
      objectOf(number, [copyOn("hot")], { names: number === 1 ? ["/a"] : [] }),
    ),
    start,
  );
  const named = [1, 2, 3].map((number) => ({ ...entry(number), name: `pin ${number}` }));
  const entries = [...named, entry(4), foreign("0005")];
  await take(index, folder, lister(entries).list, { dryRun: true });
  const before = await index.objectDetail(await index.findObject(cidOf(2)), start);
  expect(before.names).toEqual([]);
  await take(index, folder, lister(entries).list);
  const namesOf = async (number: number) =>
    (await index.objectDetail(await index.findObject(cidOf(number)), start)).names;
  expect(await Promise.all([1, 2, 3, 4].map(namesOf))).toEqual([
    ["/a"],
    ["/pin 2"],
    ["/pin 3"],
    [],
  ]);
  expect(await index.findObject("/pin 3")).toBe(await index.findObject(cidOf(3)));
});
