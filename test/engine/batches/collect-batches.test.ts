import { open, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collectBatches, type CollectOptions } from "#engine/batches/collect-batches.ts";
import type { BatchRegistry } from "#engine/batches/batch-registry.ts";
import { message, openRegistry } from "./message.ts";

const day = 86_400_000;
const start = Date.parse("2026-01-01T00:00:00Z");

/** Ten batches, one a day; the files count as having settled. */
async function tenDays(segmentBytes?: number) {
  let days = 0;
  const now = () => new Date(start + days * day);
  const registry = await openRegistry({ now, ...(segmentBytes && { segmentBytes }) });
  const cids: string[] = [];
  for (; days < 10; days += 1) cids.push(registry.publishBytes(message(days)).cid);
  const collect = (options: Partial<CollectOptions>) =>
    collectBatches(registry, { now: now(), settleMs: -1_000, leftoverMs: -1_000, ...options });
  return { registry, cids, collect };
}

async function cidsOf(registry: BatchRegistry): Promise<string[]> {
  return (await registry.list()).map(({ cid }) => cid).toReversed();
}

test("old batches go, the newest stay, and a dry run only says so", async () => {
  const { registry, cids, collect } = await tenDays();
  const dry = await collect({ olderThanMs: 4 * day, keep: 3, dryRun: true });
  expect(dry.removed.toReversed()).toEqual(cids.slice(0, 6));
  expect(await cidsOf(registry)).toEqual(cids);
  expect(await collect({ olderThanMs: 4 * day, keep: 3 })).toEqual({
    ...dry,
    kept: 4,
  });
  expect(await cidsOf(registry)).toEqual(cids.slice(6));
  expect((await collect({ olderThanMs: day, keep: 3 })).removed).toHaveLength(1);
  expect((await collect({ keep: 1 })).removed).toHaveLength(2);
  expect(await cidsOf(registry)).toEqual(cids.slice(9));
  await expect(collect({})).rejects.toMatchObject({ code: "USAGE" });
});

test("what was published a moment ago stays: it may not be told of yet", async () => {
  const { registry, collect } = await tenDays();
  expect(await collect({ keep: 0, settleMs: 60_000, leftoverMs: day })).toMatchObject({
    kept: 10,
    removed: [],
    leftovers: 0,
  });
  expect(await registry.list()).toHaveLength(10);
});

test("whoever has a batch open reads it to its end after it was given up", async () => {
  const { registry, cids, collect } = await tenDays();
  const file = await open(registry.path(cids[0] ?? ""), "r");
  try {
    expect((await collect({ keep: 0 })).removed).toHaveLength(10);
    expect(await readdir(registry.directory)).toEqual(["journal"]);
    expect(await file.readFile()).toEqual(Buffer.from(message(0)));
  } finally {
    await file.close();
  }
});

test("a batch that is published again while old ones are given up stays", async () => {
  const { registry, cids, collect } = await tenDays();
  const list = registry.list.bind(registry);
  registry.list = async () => {
    const listed = await list();
    registry.publishBytes(message(4));
    return listed;
  };
  expect((await collect({ keep: 0 })).removed).toHaveLength(9);
  registry.list = list;
  expect(await cidsOf(registry)).toEqual([cids[4]]);
  expect(await registry.check(cids[4] ?? "")).toMatchObject({ state: "intact" });
});

test("unfinished files and files without a record go once nobody can be at them", async () => {
  const { registry, cids, collect } = await tenDays();
  const stranger = join(registry.directory, `${cids[0]?.slice(0, -4)}aaaa.arrow`);
  await writeFile(stranger, message(99));
  await writeFile(join(registry.directory, ".draft-of-the-dead"), "ARR");
  await utimes(stranger, 0, 0);
  expect(await collect({ keep: 100, leftoverMs: day })).toMatchObject({ leftovers: 0 });
  expect(await collect({ keep: 100 })).toMatchObject({ kept: 10, leftovers: 2, removed: [] });
  await expect(stat(stranger)).rejects.toThrow("ENOENT");
  expect(await registry.list()).toHaveLength(10);
});

test("the journal loses its oldest segments with their batches, and cursors go on", async () => {
  const { registry, cids, collect } = await tenDays(400);
  const segments = registry.journal.segments().length;
  expect(segments).toBeGreaterThan(3);
  const reader = registry.follow("0.0");
  const { value: first } = await reader.next();
  await collect({ keep: 2 });
  expect(registry.journal.segments().length).toBeLessThan(segments);
  expect(registry.journal.segments()[0]).toBeGreaterThan(1);
  expect(await cidsOf(registry)).toEqual(cids.slice(8));
  const again = registry.follow(first?.cursor);
  expect(cids.slice(1)).toContain((await again.next()).value?.batch.cid);
  reader.end();
  again.end();
});
