import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InventorySource } from "#index/inventories/inventory-store.ts";
import { makePlan, stepOf } from "./make-plan.ts";
import { context, onlyBatch } from "./run-steps.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";
import { begunAt, differences, entry, foreign, lister, nothing, take } from "./take-listing.ts";

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
  const kept = join(await temporaryFolder(), "kept");
  await cp(folder, kept, { recursive: true });
  await take(index, folder, list);
  await cp(kept, folder, { recursive: true });
  const again = lister([entry(1)]);
  await take(index, folder, again.list);
  expect(again.asked).toEqual([undefined]);
});

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
