import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  array,
  assert as assertProperty,
  asyncProperty,
  constantFrom,
  nat,
  record,
  uniqueArray,
} from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { diffSnapshots } from "#engine/snapshots/diff-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { verifiedTable } from "#engine/snapshots/verified-table.ts";
import { temporaryFolder } from "../../index/open-index.ts";
import { cidOf, filledIndex, openCopy, readObjects, start } from "./filled-index.ts";

const at = { now: start, partRows: 100 };
const later = { ...at, now: new Date(start.getTime() + 3_600_000) };
const comparing = { memoryLimit: "256MB", threads: 1 };

test("an index that did not change gives no new snapshot, and nothing is written", async () => {
  const { index, store } = await filledIndex(1_000);
  const first = await takeSnapshot(index, store, at);
  expect(first).toMatchObject({ unchanged: false, objects: 1_000, partsWritten: first.parts });
  expect(await takeSnapshot(index, store, later)).toMatchObject({
    cid: first.cid,
    unchanged: true,
    partsWritten: 0,
    bytesWritten: 0,
  });
  expect((await store.list()).snapshots.map(({ cid }) => cid)).toEqual([first.cid]);
});

test("where the clock went back, the snapshot that was taken last is the newest, and a gc keeps it", async () => {
  const { index, store } = await filledIndex(100);
  await takeSnapshot(index, store, later);
  await readObjects(index, "second", [1, 2, 3]);
  const second = await takeSnapshot(index, store, at);
  expect(second.takenAt).toBe(at.now.toISOString());
  expect(await store.find("newest")).toMatchObject({ cid: second.cid });
  await readObjects(index, "third", [4, 5, 6]);
  const third = await takeSnapshot(index, store, at);
  expect(third.parent).toBe(second.cid);
  const { kept } = await collectGarbage(store, { keep: 1 });
  expect(kept).toEqual([third.cid]);
});

test("reads of one per cent of the objects write the heat of their ranges and nothing else", async () => {
  const { index, store } = await filledIndex(2_000);
  const first = await takeSnapshot(index, store, at);
  await readObjects(
    index,
    "second",
    Array.from({ length: 20 }, (_, number) => 500 + number),
  );
  const second = await takeSnapshot(index, store, later);
  expect(second.parent).toBe(first.cid);
  const changed = await changedParts(store, first.cid, second.cid);
  expect(changed).toEqual([
    "heat/access_days 5",
    "heat/objects 5",
    "state/access_batches 0",
    "state/counters 0",
  ]);
  expect(second.partsWritten).toBe(changed.length);
  expect(await diffSnapshots(store, { from: first.cid, to: "newest" }, comparing)).toMatchObject({
    tables: [
      { family: "heat", table: "access_days", added: 20, removed: 0, changed: 0 },
      { family: "heat", table: "objects", added: 0, removed: 0, changed: 20 },
      { table: "access_batches", added: 1 },
      { table: "counters", added: 1, removed: 1 },
    ],
  });
});

test("what an incremental snapshot keeps is what a full one writes, after any changes", async () => {
  const { index, store } = await filledIndex(300);
  const change = record({
    kind: constantFrom("read", "hold", "release", "lose", "cordon"),
    objects: uniqueArray(nat(299), { minLength: 1, maxLength: 5 }),
  });
  let step = 0;
  await assertProperty(
    asyncProperty(array(change, { maxLength: 3 }), async (changes) => {
      for (const { kind, objects } of changes) {
        step += 1;
        if (kind === "read") await readObjects(index, `batch ${step}`, objects);
        else if (kind === "hold") await index.hold(objects, "legal", start);
        else if (kind === "release") await index.release(objects, start);
        else if (kind === "cordon") await index.setCordon("warm", objects.length > 2);
        else await lose(index, objects, step);
      }
      const now = new Date(start.getTime() + step);
      const incremental = await takeSnapshot(index, store, { now, partRows: 50 });
      const apart = new SnapshotStore(await temporaryFolder());
      const full = await takeSnapshot(index, apart, { now, partRows: 50, full: true });
      expect(await partsOf(store, incremental.cid)).toEqual(await partsOf(apart, full.cid));
    }),
    { numRuns: 8, seed: 7 },
  );
});

test("one index gives one CID, with one, two and four threads and in another process", async () => {
  const { index, path } = await filledIndex(3_000);
  await index.close();
  const cids: string[] = [];
  for (const threads of [1, 2, 4]) {
    const copy = await openCopy(path, threads);
    const apart = new SnapshotStore(await temporaryFolder());
    cids.push((await takeSnapshot(copy, apart, { now: start })).cid);
    await copy.close();
  }
  const child = takeApart(path, await temporaryFolder(), 122_880);
  let printed = "";
  child.stdout.on("data", (bytes: Buffer) => (printed += bytes.toString()));
  await once(child, "close");
  cids.push(printed.trim());
  expect(new Set(cids)).toEqual(new Set([cids[0]]));
});

test("killed in the middle, the snapshots before it stay whole and the next one succeeds", async () => {
  const { index, path, store } = await filledIndex(800);
  const first = await takeSnapshot(index, store, { ...at, partRows: 20 });
  await readObjects(
    index,
    "all",
    Array.from({ length: 800 }, (_, number) => number),
  );
  await index.close();
  const before = (await readdir(join(store.directory, "parts"))).length;
  const child = takeApart(path, store.directory, 20);
  while ((await readdir(join(store.directory, "parts"))).length < before + 10) {
    expect(child.exitCode).toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
  }
  child.kill("SIGKILL");
  await once(child, "close");
  expect((await store.list()).snapshots.map(({ cid }) => cid)).toEqual([first.cid]);
  await verifyAll(store, first.cid);
  const again = await openCopy(path, 2);
  const second = await takeSnapshot(again, store, { ...later, partRows: 20 });
  expect(second.parent).toBe(first.cid);
  await verifyAll(store, second.cid);
  await collectGarbage(store, { keep: 2 });
  const named = new Set(
    [...(await partsOf(store, first.cid)), ...(await partsOf(store, second.cid))].map(
      ([, cid]) => cid,
    ),
  );
  const left = await readdir(join(store.directory, "parts"));
  expect(left.toSorted()).toEqual([...named].map((cid) => `${cid}.parquet`).toSorted());
});

test("gc keeps the newest and every part they name; a dry run changes nothing", async () => {
  const { index, store } = await filledIndex(500);
  const cids: string[] = [];
  for (const day of [1, 2, 3]) {
    await readObjects(index, `day ${day}`, [day * 10]);
    const now = new Date(start.getTime() + day * 86_400_000);
    cids.unshift((await takeSnapshot(index, store, { ...at, now })).cid);
  }
  const before = await store.parts();
  const rehearsed = await collectGarbage(store, { keep: 1, dryRun: true });
  expect(rehearsed).toMatchObject({ kept: cids.slice(0, 1), removed: cids.slice(1) });
  expect(await store.parts()).toEqual(before);
  const done = await collectGarbage(store, { keep: 1 });
  expect(done).toEqual(rehearsed);
  expect(done.partsRemoved).toBeGreaterThan(0);
  expect((await store.list()).snapshots.map(({ cid }) => cid)).toEqual(cids.slice(0, 1));
  await verifyAll(store, "newest");
  await expect(collectGarbage(store, { keep: 0 })).rejects.toMatchObject({ code: "USAGE" });
});

test("a damaged part is found before it is used, and a full snapshot writes it again", async () => {
  const { index, store } = await filledIndex(300);
  const first = await takeSnapshot(index, store, at);
  const [victim] = (await store.find("newest")).manifest.tables.flatMap(({ parts }) => parts);
  if (victim === undefined) throw new Error("a snapshot has parts");
  await damage(store.partPath(victim.cid.toString()));
  await expect(verifyAll(store, first.cid)).rejects.toMatchObject({ code: "CORRUPT" });
  await takeSnapshot(index, store, { ...later, full: true });
  await verifyAll(store, first.cid);
});

test("a damaged manifest is named, does not hide the others, and keeps all parts from gc", async () => {
  const { index, store } = await filledIndex(200);
  const first = await takeSnapshot(index, store, at);
  await readObjects(index, "more", [9]);
  const second = await takeSnapshot(index, store, later);
  await damage(join(store.path(first.cid), "manifest.cbor"));
  expect(await store.list()).toMatchObject({
    snapshots: [{ cid: second.cid }],
    damaged: [first.cid],
  });
  await expect(store.find(first.cid)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(store.find("bafyother")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await collectGarbage(store, { keep: 1 })).toMatchObject({ removed: [], partsRemoved: 0 });
});

test("an index that closes under a snapshot does not wait for it, and nothing is left behind", async () => {
  const { index, store } = await filledIndex(1_000);
  const ended = takeSnapshot(index, store, { ...at, partRows: 10 }).catch(
    (error: unknown) => error,
  );
  while ((await store.parts()).size < 3) await new Promise((resolve) => setImmediate(resolve));
  await index.close();
  expect(await ended).toMatchObject({ code: "CANCELLED" });
  expect((await store.list()).snapshots).toEqual([]);
  const names = [
    ...(await readdir(store.directory)),
    ...(await readdir(join(store.directory, "parts"))),
  ];
  expect(names.filter((name) => name.startsWith("."))).toEqual([]);
});

async function lose(
  index: Parameters<typeof takeSnapshot>[0],
  objects: readonly number[],
  step: number,
): Promise<void> {
  const checkedAt = new Date(start.getTime() + step * 1_000);
  const evidence = objects.map((number) => ({
    backend: "cold",
    cid: cidOf(number),
    finding: "absent" as const,
    confidence: "verified" as const,
    method: "test",
    checkedAt: checkedAt.toISOString(),
    bytesRead: 0,
  }));
  await index.recordEvidence(evidence, checkedAt);
}

async function partsOf(
  store: SnapshotStore,
  cid: string,
): Promise<readonly (readonly [string, string])[]> {
  const { manifest } = await store.find(cid);
  return manifest.tables.flatMap(({ family, table, parts }) =>
    parts.map(({ range, cid: part }) => [`${family}/${table} ${range}`, part.toString()] as const),
  );
}

async function changedParts(store: SnapshotStore, from: string, to: string): Promise<string[]> {
  const before = new Map(await partsOf(store, from));
  const after = await partsOf(store, to);
  return after
    .filter(([name, cid]) => before.get(name) !== cid)
    .map(([name]) => name)
    .toSorted();
}

async function verifyAll(store: SnapshotStore, reference: string): Promise<void> {
  const { manifest } = await store.find(reference);
  for (const table of manifest.tables) await verifiedTable(store, table);
}

async function damage(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

/** Another process takes the snapshot, of a copy of the index file. */
function takeApart(path: string, directory: string, partRows: number) {
  const script = fileURLToPath(new URL("snapshot-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path, directory, String(partRows)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}
