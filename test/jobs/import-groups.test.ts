import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addressBytes } from "#content/address-file.ts";
import { ImportGroups } from "#jobs/import-groups.ts";
import type { Driver } from "#model/driver.ts";
import { requireGroups } from "#model/groups-with.ts";
import { driverWith } from "./driver-with.ts";
import {
  count,
  expectIndexOf,
  hot,
  importTree,
  profile,
  put,
  rows,
  stageImports,
  stored,
  stores,
  summaryOf,
  tree,
} from "./import-stage.ts";

stageImports();

type StoreGroup = Required<Driver>["storeGroup"];

/** The backend, with the sizes of its groups and the number of files that went alone. */
function watched(storeGroup: StoreGroup = (...call) => requireGroups(hot).storeGroup(...call)) {
  const seen = { groups: [] as number[], alone: 0 };
  const driver = driverWith(hot, {
    readGroup: (...call) => requireGroups(hot).readGroup(...call),
    storeGroup: (objects, bytes, options) => {
      seen.groups.push(objects.length);
      return storeGroup(objects, bytes, options);
    },
    write: (...call) => {
      seen.alone += 1;
      return hot.write(...call);
    },
  });
  return { seen, driver };
}

/** No time passes, so that no group is stored before it is full because the machine is slow. */
const still = { now: () => new Date("2026-11-22T12:00:00Z") };

async function putFiles(files: number): Promise<void> {
  for (let number = 0; number < files; number += 1) {
    await put(String(number).padStart(4, "0"), `file ${number}`);
  }
}

test("small files are stored in groups, large ones and the last few alone", async () => {
  await putFiles(300);
  await writeFile(join(tree, "0100-large"), Buffer.alloc(300_000, 7));
  const { seen, driver } = watched();
  expect(await summaryOf(importTree({}, driver, still))).toMatchObject({ files: 301, added: 301 });
  const grouped = seen.groups.reduce((sum, objects) => sum + objects, 0);
  expect(Math.max(...seen.groups)).toBeLessThanOrEqual(256);
  expect(grouped + seen.alone).toBe(301);
  expect(seen.groups.length).toBeLessThanOrEqual(2);
  expect(seen.alone).toBeLessThan(16 + 1);
  expect(await rows("SELECT DISTINCT state, confidence FROM copy")).toEqual([
    { state: "present", confidence: "verified" },
  ]);
  const paths = await rows("SELECT path FROM object ORDER BY object_id");
  const names = paths.map(({ path }) => String(path));
  expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
});

test("equal files of a group are one copy, counted once, with all their names", async () => {
  for (let number = 0; number < 40; number += 1) await put(`${number}`, `file ${number % 20}`);
  const { driver } = watched();
  const summary = await summaryOf(importTree({}, driver, still));
  expect(summary).toMatchObject({ files: 40, added: 20, known: 20, problems: 0 });
  expect(await rows("SELECT count(*) AS names FROM name")).toEqual([{ names: 40 }]);
  const bytes = Array.from({ length: 20 }, (_, number) => `file ${number}`).join("").length;
  expect(await hot.status()).toMatchObject({ usedBytes: bytes });
});

test("what a group leaves out is stored alone", async () => {
  await putFiles(60);
  const { seen, driver } = watched(async (objects, bytes, options) => {
    const taken = await requireGroups(hot).storeGroup(
      objects.slice(0, 40),
      bytes.slice(0, 40),
      options,
    );
    return objects.map((_, at) => taken[at]);
  });
  expect(await summaryOf(importTree({}, driver, still))).toMatchObject({ files: 60, added: 60 });
  expect(seen).toEqual({ groups: [60], alone: 20 });
  expect((await stored()).length).toBe(60);
  await expectIndexOf(hot);
});

test.each<[string, StoreGroup]>([
  ["fails", () => Promise.reject(new Error("out"))],
  ["takes nothing", (objects) => Promise.resolve(objects.map(() => undefined))],
])("a backend that %s of a group gets everything alone from then on", async (_, storeGroup) => {
  await putFiles(600);
  const { seen, driver } = watched(storeGroup);
  expect(await summaryOf(importTree({}, driver, still))).toMatchObject({ files: 600, added: 600 });
  // Those that were on their way when the first ended, and no more.
  expect(seen.groups.length).toBeLessThanOrEqual(3);
  expect(seen.alone).toBe(600);
});

test("a backend that was out for a while takes groups again", async () => {
  await putFiles(1_500);
  let nowMs = Date.parse("2026-11-22T12:00:00Z");
  const outUntil = nowMs + 1;
  const { seen, driver } = watched((objects, bytes, options) => {
    if (nowMs < outUntil) return Promise.resolve(objects.map(() => undefined));
    return requireGroups(hot).storeGroup(objects, bytes, options);
  });
  const write = driver.write.bind(driver);
  const passing = driverWith(driver, {
    readGroup: (...call) => requireGroups(driver).readGroup(...call),
    storeGroup: (...call) => requireGroups(driver).storeGroup(...call),
    write: (...call) => {
      // Some seconds pass while files are stored one by one.
      nowMs += 50;
      return write(...call);
    },
  });
  const now = () => new Date(nowMs);
  expect(await summaryOf(importTree({}, passing, { now }))).toMatchObject({ added: 1_500 });
  expect(seen.alone).toBeLessThan(1_500);
});

test("equal files that wait for the first of them are not read without end", async () => {
  const bytes = Buffer.alloc(256 * 1024, 7);
  const object = { ...addressBytes(bytes, profile), profile };
  const { seen, driver } = watched();
  const groups = new ImportGroups(driver, new AbortController().signal, () => 0);
  const storing: Promise<unknown>[] = [];
  while (groups.hasRoom && storing.length < 2_000) storing.push(groups.store(object, bytes));
  expect(storing.length * bytes.length).toBe(8 * 1024 * 1024);
  // One file is no group: each is stored alone, without anybody telling them to go on.
  expect(await Promise.all(storing)).toEqual(storing.map(() => undefined));
  expect(groups).toMatchObject({ waiting: 0, hasRoom: true });
  expect(seen.groups).toEqual([]);
});

test("many equal files of some size are one copy with all their names", async () => {
  for (let number = 0; number < 60; number += 1) {
    await writeFile(join(tree, String(number)), Buffer.alloc(256 * 1024, 7));
  }
  const { driver } = watched();
  const summary = await summaryOf(importTree({}, driver, still));
  expect(summary).toMatchObject({ files: 60, added: 1, known: 59, problems: 0 });
});

test("a damaged copy that is there already is replaced", async () => {
  await putFiles(40);
  await summaryOf(importTree());
  const [copy] = await Array.fromAsync(hot.list());
  if (copy === undefined) throw new Error("nothing is stored");
  await stores.damage("hot", copy.copy);
  expect(await summaryOf(importTree())).toMatchObject({ files: 40, known: 40, problems: 0 });
  const object = { cid: copy.cid, size: copy.copy.bytes, profile: "unixfs-v1-2025" };
  expect(await hot.verify(object, "verified")).toMatchObject({ finding: "present" });
});

test("an import that is cancelled while files are gathered records what is stored", async () => {
  await putFiles(400);
  const stop = new AbortController();
  const { driver } = watched((...call) => {
    stop.abort();
    return requireGroups(hot).storeGroup(...call);
  });
  const cancelled = Array.fromAsync(importTree({}, driver, { signal: stop.signal, ...still }));
  await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
  await expectIndexOf(hot);
  expect(await summaryOf(importTree())).toMatchObject({ files: 400, problems: 0 });
  expect(await count()).toBe(400);
  expect(await readdir(join(stores.folder, "hot", "incoming"))).toEqual([]);
});
