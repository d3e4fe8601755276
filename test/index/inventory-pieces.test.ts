import { join } from "node:path";
import { array, assert, asyncProperty, boolean, integer, nat, record } from "fast-check";
import { expect, test } from "vitest";
import type {
  InventorySource,
  InventoryStep,
  ListedEntry,
} from "#index/inventories/inventory-store.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { Evidence } from "#model/copy.ts";
import { cidOf, copyOn, objectOf, openIndex, start, temporaryFolder } from "./open-index.ts";
import { begunAt, copyEntry, differences, entry, lister, nothing, take } from "./take-listing.ts";

test("cut off anywhere and gone on with, in small pieces: the same index as in one go and in one piece", async () => {
  const facts = array(
    record({ number: nat(9), bytes: nat(2), named: boolean(), again: boolean(), sized: boolean() }),
    { maxLength: 10 },
  );
  const cuts = array(nat(14), { maxLength: 3 });
  const sizes = record({
    partEntries: integer({ min: 1, max: 3 }),
    pieceRows: integer({ min: 1, max: 3 }),
  });
  await assert(
    asyncProperty(facts, cuts, sizes, async (some, points, pieces) => {
      const entries = [...new Map(some.map((one) => [one.number, one])).values()].flatMap(toldOf);
      const inOneGo = await outcome(entries, [], {});
      expect(await outcome(entries, points, pieces)).toEqual(inOneGo);
    }),
    {
      numRuns: 6,
      endOnFailure: true,
      examples: [[manyRuns, [17, 9], { partEntries: 1, pieceRows: 1 }]],
    },
  );
}, 600_000);

interface Fact {
  readonly number: number;
  readonly bytes: number;
  readonly named: boolean;
  readonly again: boolean;
  readonly sized: boolean;
}

/** Of a listing in parts of one entry these are more files than are read side by side. */
const manyRuns: Fact[] = Array.from({ length: 10 }, (_, number) => ({
  number,
  bytes: number % 3,
  named: number % 2 === 0,
  again: number % 3 === 0,
  sized: true,
}));

/** What a backend lists of a copy, perhaps once more with another size. */
function toldOf({ number, bytes, named, again, sized }: Fact): readonly ListedEntry[] {
  const { size, ...told } = copyEntry(number, bytes === 0 ? undefined : bytes);
  const one = { ...told, size: sized ? size : undefined };
  const twice = { ...copyEntry(number, 99), cursor: `1${one.cursor}` };
  return again ? [one, { ...twice, ...(named ? { name: `again ${number}` } : {}) }] : [one];
}

/**
 * What an inventory finds, and what the index then says, that is cut off after so many steps each
 * time it goes on.
 */
async function outcome(
  entries: readonly ListedEntry[],
  cuts: readonly number[],
  pieces: Partial<InventorySource>,
): Promise<unknown> {
  const { index } = await openIndex(["hot", "warm"]);
  const nameless = { names: [] };
  await index.putObjects(
    [0, 2, 4, 6].map((number) => objectOf(number, [copyOn("hot")], number > 2 ? nameless : {})),
    start,
  );
  await index.putObjects([objectOf(8, [copyOn("warm")], nameless)], start);
  const folder = join(await temporaryFolder(), "hot");
  let found: InventoryStep["found"];
  // Behind its end there is nothing to go on with.
  for (const cut of [...cuts, Infinity]) {
    found ??= await takeSteps(index, folder, entries, { ...pieces, cut });
  }
  expect(await index.checkSummaries()).toEqual([]);
  await using session = await index.session();
  const rowsOf = async (text: string) => await session.rows({ text, parameters: [] });
  return {
    found,
    copies: await rowsOf(`SELECT hex(o.cid) AS cid, o.path, o.size, c.backend_id, c.state,
        c.confidence, c.form, c.locator, c.bytes, c.checked_at
      FROM objects AS o LEFT JOIN copies AS c USING (object_id) ORDER BY cid, c.backend_id`),
    differences: await rowsOf(`SELECT kind, detail, hex(cid) AS cid, object_id IS NULL AS nothing,
        locator, form, bytes, believed_bytes FROM differences ORDER BY cid`),
    ledger: await rowsOf(`SELECT reason, hex(o.cid) AS cid, count(*) AS entries
      FROM ledger AS l LEFT JOIN objects AS o USING (object_id) WHERE l.kind = 'drift'
      GROUP BY ALL ORDER BY ALL`),
    repairs: await rowsOf(`SELECT hex(o.cid) AS cid, r.found FROM repairs AS r
      JOIN objects AS o USING (object_id) ORDER BY cid`),
    left: await rowsOf("SELECT 1 FROM inventories_under_way"),
  };
}

/** Takes so many steps of an inventory behind its listing; what it found, where it ends before. */
async function takeSteps(
  index: ObjectIndex,
  folder: string,
  entries: readonly ListedEntry[],
  { cut, ...more }: Partial<InventorySource> & { readonly cut: number },
): Promise<InventoryStep["found"]> {
  const source = { backend: "hot", source: "listing", folder, begunAt, look: nothing };
  const flags = { dryRun: false, restart: false, isLate: false, entries: lister(entries).list };
  let steps = 0;
  for await (const { phase, found } of index.inventories.take({ ...source, ...flags, ...more })) {
    if (found !== undefined) return found;
    if (phase !== "listing") steps += 1;
    if (steps > cut) return undefined;
  }
  return undefined;
}

test("what is committed between two pieces passes, and stays as it is", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  const numbers = [0, 1, 2, 3, 4, 5];
  await index.putObjects(
    numbers.map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  const later = new Date(begunAt.getTime() + 1_000);
  const source = { backend: "hot", source: "listing", folder, begunAt, look: nothing };
  const flags = { dryRun: false, restart: false, isLate: false, pieceRows: 1 };
  const { list } = lister([entry(0), entry(9)]);
  let found: InventoryStep["found"];
  let pieces = 0;
  for await (const step of index.inventories.take({ ...source, ...flags, entries: list })) {
    found = step.found;
    if (step.phase === "listing") continue;
    pieces += 1;
    if (pieces !== 2) continue;
    // Neither is in the listing, and both are there.
    await index.recordEvidence([evidenceOf(5, later)], later);
    await index.putObjects([objectOf(7, [{ ...copyOn("hot"), checkedAt: later }])], later);
  }
  expect(pieces).toBeGreaterThan(numbers.length);
  expect(found).toMatchObject({ listed: 2, confirmed: 1, lost: 4, unexpected: 1, changed: 0 });
  await using session = await index.session();
  const present = await session.rows({
    text: `SELECT path FROM copy JOIN object USING (object_id)
      WHERE backend = 'hot' AND state = 'present' ORDER BY path`,
    parameters: [],
  });
  const paths = present.map(({ path }) => path);
  expect(new Set(paths)).toEqual(new Set([null, "/data/0.bin", "/data/5.bin", "/data/7.bin"]));
  expect(await index.checkSummaries()).toEqual([]);
});

function evidenceOf(number: number, checkedAt: Date): Evidence {
  const about = { cid: cidOf(number), backend: "hot", finding: "present" } as const;
  return { ...about, confidence: "verified", checkedAt: checkedAt.toISOString() } as Evidence;
}

test("what is being compared is not listed on, and what an inventory that is given up found is forgotten", async () => {
  const { index } = await openIndex();
  const folder = join(await temporaryFolder(), "hot");
  await index.putObjects(
    [0, 1].map((number) => objectOf(number, [copyOn("hot")])),
    start,
  );
  await takeSteps(index, folder, [entry(7), entry(8)], { pieceRows: 1, cut: 2 });
  const restarted = lister([entry(0), entry(1), entry(7)]);
  const again = { begunAt: new Date(begunAt.getTime() + 1_000), restart: true };
  const { found } = await take(index, folder, restarted.list, again);
  // The 8 had come in, and is listed no more.
  expect(found).toMatchObject({ listed: 3, confirmed: 3, lost: 1, unexpected: 0 });
  expect(await differences(index)).toMatchObject([{ kind: "lost", locator: "place/8" }]);
  // Of an S3 Inventory, which is as of the same time when it is begun anew.
  const same = { begunAt: new Date(begunAt.getTime() + 1_500) };
  await takeSteps(index, folder, [entry(0)], { ...same, cut: 2, pieceRows: 1 });
  const anew = lister([entry(0), entry(1), entry(7)]);
  const { found: all } = await take(index, folder, anew.list, { ...same, restart: true });
  expect(anew.asked).toEqual([undefined]);
  expect(all).toMatchObject({ listed: 3 });
  const untouched = lister([]);
  await takeSteps(index, folder, [entry(0), entry(1)], {
    cut: 2,
    begunAt: new Date(begunAt.getTime() + 2_000),
  });
  await take(index, folder, untouched.list, { begunAt: new Date(begunAt.getTime() + 3_000) });
  expect(untouched.asked).toEqual([]);
});
