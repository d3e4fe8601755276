import { copyFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { InventorySource, InventoryStep } from "#index/inventories/inventory-store.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";
import { begunAt, differences, entry, lister, nothing, take } from "./take-listing.ts";

const numbers = [0, 1, 2, 3];
const all = numbers.map((number) => entry(number));
const filled = numbers.map((number) => objectOf(number, [copyOn("hot")]));

/** Takes steps of an inventory until one is said to be the last. */
async function takeUntil(
  index: ObjectIndex,
  folder: string,
  isLast: (step: InventoryStep, behindListing: number) => boolean | Promise<boolean>,
  more: Partial<InventorySource> = {},
): Promise<InventoryStep["found"]> {
  const source = { backend: "hot", source: "listing", folder, begunAt, look: nothing };
  const flags = { dryRun: false, restart: false, isLate: false, partEntries: 2, pieceRows: 1 };
  const { list: entries } = lister(all);
  let behind = 0;
  for await (const step of index.inventories.take({ ...source, ...flags, entries, ...more })) {
    if (step.found !== undefined) return step.found;
    if (step.phase !== "listing") behind += 1;
    if (await isLast(step, behind)) return undefined;
  }
  return undefined;
}

const inTheMiddle = (_: InventoryStep, behind: number) => behind > 3;

test("an older state of the listing that comes back is listed on, and nothing behind it is lost", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  const older = join(await temporaryFolder(), "older.json");
  await index.putObjects(filled, start);
  async function* saving(cursor: string | undefined) {
    for await (const one of lister(all).list(cursor)) {
      // The first part is whole.
      if (one.cursor === "0003") await copyFile(join(folder, "listing.json"), older);
      yield one;
    }
  }
  await takeUntil(index, folder, inTheMiddle, { entries: saving });
  expect(JSON.parse(await readFile(older, "utf8"))).toMatchObject({ parts: 1, listed: 2 });
  await copyFile(older, join(folder, "listing.json"));
  const on = lister(all);
  const found = await takeUntil(index, folder, () => false, { entries: on.list });
  expect(on.asked).toEqual(["0001"]);
  expect(found).toMatchObject({ listed: 4, confirmed: 4, lost: 0 });
});

test("a listing for another index is not gone on with: what was removed since does not come back", async () => {
  const before = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await before.index.putObjects(filled, start);
  await takeUntil(before.index, folder, inTheMiddle);
  const { index } = await openIndex();
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn(number === 3 ? "warm" : "hot")])),
    start,
  );
  const anew = lister(all.slice(0, 3));
  const { found } = await take(index, folder, anew.list);
  expect(anew.asked).toEqual([undefined]);
  expect(found).toMatchObject({ listed: 3, confirmed: 3, unexpected: 0 });
});

test("the second inventory of the same list goes on as the first does, and one that has ended begins anew", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(filled, start);
  await take(index, folder, lister(all).list);
  await takeUntil(index, folder, inTheMiddle);
  const untouched = lister(all);
  const { found, earlier, earlierBegunAt } = await take(index, folder, untouched.list);
  expect(untouched.asked).toEqual([]);
  expect(found).toMatchObject({ listed: 4, confirmed: 4 });
  expect({ earlier, earlierBegunAt }).toEqual({ earlier: 4, earlierBegunAt: begunAt });
});

test("a listing that has ended is not applied hours later", async () => {
  let now = start;
  const { index } = await openIndex(["hot"], { now: () => now });
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(filled, start);
  await takeUntil(index, folder, inTheMiddle);
  now = new Date(start.getTime() + 6 * 3_600_000 + 1);
  const anew = lister(all);
  await take(index, folder, anew.list);
  expect(anew.asked).toEqual([undefined]);
});

test("a dry run that begins anew leaves the inventory under way, and nothing of its own", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(filled, start);
  await takeUntil(index, folder, inTheMiddle);
  const left = ["listing.json", "part-000000.parquet", "part-000001.parquet"];
  expect((await readdir(folder)).toSorted()).toEqual(left);
  const looked = lister([entry(0)]);
  const { found } = await take(index, folder, looked.list, { dryRun: true, restart: true });
  expect(looked.asked).toEqual([undefined]);
  expect(found).toMatchObject({ listed: 1, lost: 3 });
  expect((await readdir(folder)).toSorted()).toEqual(left);
  const untouched = lister(all);
  expect(await take(index, folder, untouched.list)).toMatchObject({ found: { confirmed: 4 } });
  expect(untouched.asked).toEqual([]);
});

test("a folder that is named like a column is a folder", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "env=prod", "hot");
  await index.putObjects(filled, start);
  const { found } = await take(index, folder, lister([entry(0), entry(9)]).list, { isLate: true });
  expect(found).toMatchObject({ listed: 2, confirmed: 1, lost: 3, unexpected: 1 });
});

test.each(["corrupt", "of another size"])(
  "what came in between is counted once: %s",
  async (how) => {
    const { index } = await openIndex();
    const folder = join(await temporaryFolder(), "hot");
    await index.putObjects([objectOf(0, [copyOn("hot")])], start);
    const copy = copyOn("hot");
    const arrived =
      how === "corrupt"
        ? ({ ...copy, state: "corrupt" } as const)
        : { ...copy, copy: { ...copy.copy, bytes: 55 } };
    const comesIn = async (_: InventoryStep, behind: number) => {
      if (behind === 2)
        await index.putObjects([objectOf(7, [arrived]), objectOf(8, [arrived])], start);
      return false;
    };
    const { list: entries } = lister([entry(0), entry(7), entry(8)]);
    const isLate = how !== "corrupt";
    const found = await takeUntil(index, folder, comesIn, { entries, isLate });
    expect(found?.listed).toBe(3);
    const noted = await differences(index);
    expect(new Set(noted.map((one) => JSON.stringify(one))).size).toBe(noted.length);
    expect(await index.checkSummaries()).toEqual([]);
  },
);
