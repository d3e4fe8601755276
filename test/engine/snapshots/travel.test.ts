import { once } from "node:events";
import { spawn } from "node:child_process";
import { chmod, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { collectRemote } from "#engine/snapshots/collect-remote.ts";
import { diffSnapshots } from "#engine/snapshots/diff-snapshots.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import { PassingSnapshots } from "#engine/snapshots/passing-snapshots.ts";
import { pullSnapshot } from "#engine/snapshots/pull-snapshot.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { emptyStore, farStore, openFarStore } from "./far-store.ts";
import { filledIndex, readObjects, start } from "./filled-index.ts";

const partRows = 16;
const newest = { snapshot: "newest" };
const later = (hours: number) => new Date(start.getTime() + hours * 3_600_000);

test("a snapshot that is pushed and pulled is the same, part by part", async () => {
  const { index, store } = await filledIndex(50);
  const taken = await takeSnapshot(index, store, { now: start, partRows });
  const { remote } = await farStore();
  const pushed = await pushSnapshot(store, remote, newest);
  const { manifest } = await store.find(taken.cid);
  expect(pushed).toMatchObject({ cid: taken.cid, backend: "far", objects: 50 });
  expect(pushed.partsMoved).toBe(distinctParts(manifest).length);

  const other = await emptyStore();
  const pulled = await pullSnapshot(other, remote, newest);
  expect(pulled).toMatchObject({ cid: taken.cid, partsMoved: pushed.partsMoved });
  expect((await other.find("newest")).manifest).toEqual(manifest);
  for (const part of distinctParts(manifest)) await other.verifiedPart(part);
  await other.publish(manifest);
  const options = { memoryLimit: "512MiB", threads: 2 };
  const request = { from: taken.cid, to: "newest" };
  expect((await diffSnapshots(other, request, options)).tables).toEqual([]);
});

test("only what the other side lacks travels, both ways", async () => {
  const { index, store } = await filledIndex(50);
  await takeSnapshot(index, store, { now: start, partRows });
  const { remote } = await farStore();
  const other = await emptyStore();
  await pushSnapshot(store, remote, newest);
  await pullSnapshot(other, remote, newest);
  expect(await pushSnapshot(store, remote, newest)).toMatchObject({ partsMoved: 0, bytesMoved: 0 });

  await readObjects(index, "second", [20]);
  const next = await takeSnapshot(index, store, { now: later(1), partRows });
  const pushed = await pushSnapshot(store, remote, newest);
  expect(pushed.partsMoved).toBe(next.partsWritten);
  expect(pushed.partsMoved).toBeLessThan(pushed.parts / 2);
  expect(await pullSnapshot(other, remote, newest)).toMatchObject({
    cid: next.cid,
    partsMoved: next.partsWritten,
  });
});

test("a push that is killed shows nothing, and goes on where it was", async () => {
  const { index, store } = await filledIndex(300);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows });
  const { folder, remote } = await farStore();
  const script = join(import.meta.dirname, "push-process.ts");
  const child = spawn(process.execPath, [script, store.directory, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let arrived = 0;
  for await (const _line of createInterface({ input: child.stdout })) {
    arrived += 1;
    if (arrived === 5) child.kill("SIGKILL");
  }
  if (child.signalCode === null) await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  expect(await remote.list()).toEqual([]);
  await expect(pullSnapshot(await emptyStore(), remote, newest)).rejects.toMatchObject({
    code: "NOT_FOUND",
  });

  const { manifest } = await store.find(cid);
  const there = await remote.parts(manifest.installation);
  expect(there.size).toBeGreaterThanOrEqual(5);
  const pushed = await pushSnapshot(store, remote, newest);
  expect(pushed.partsMoved).toBe(distinctParts(manifest).length - there.size);
  expect(await pullSnapshot(await emptyStore(), remote, newest)).toMatchObject({ cid });
});

test("a pull that breaks off shows nothing, and goes on where it was", async () => {
  const { index, store } = await filledIndex(100);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows });
  const { remote, folder } = await farStore();
  await pushSnapshot(store, remote, newest);
  const other = await emptyStore();
  const { manifest } = await store.find(cid);
  const parts = distinctParts(manifest);
  const last = parts.at(-1)?.cid.toString() ?? "";
  const path = await partFile(folder, last);
  await rename(path, `${path}.away`);
  const broken = pullSnapshot(other, remote, newest);
  await expect(broken).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect((await other.list()).snapshots).toEqual([]);
  const here = (await other.parts()).size;
  expect(here).toBeGreaterThan(0);
  await rename(`${path}.away`, path);
  const pulled = await pullSnapshot(other, remote, newest);
  expect(pulled.partsMoved).toBe(parts.length - here);
});

test("bytes that changed on the backend are never taken over, and a full push mends them", async () => {
  const { index, store } = await filledIndex(50);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows });
  const { remote, folder } = await farStore();
  await pushSnapshot(store, remote, newest);
  const [part] = distinctParts((await store.find(cid)).manifest);
  await spoil(await partFile(folder, part?.cid.toString() ?? ""));
  const other = await emptyStore();
  await expect(pullSnapshot(other, remote, newest)).rejects.toMatchObject({ code: "CORRUPT" });
  expect((await other.list()).snapshots).toEqual([]);
  expect(await pushSnapshot(store, remote, newest)).toMatchObject({ partsMoved: 0 });
  const mended = await pushSnapshot(store, remote, { ...newest, full: true });
  expect(mended.partsMoved).toBe(1);
  expect(await pullSnapshot(other, remote, newest)).toMatchObject({ cid });
});

test("a full pull mends what was damaged here", async () => {
  const { index, store } = await filledIndex(20);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows });
  const { remote } = await farStore();
  await pushSnapshot(store, remote, newest);
  const [part] = distinctParts((await store.find(cid)).manifest);
  if (part === undefined) throw new Error("the snapshot has no part");
  await spoil(store.partPath(part.cid.toString()));
  await expect(store.verifiedPart(part)).rejects.toMatchObject({ code: "CORRUPT" });
  const pulled = await pullSnapshot(store, remote, { ...newest, full: true });
  expect(pulled.partsMoved).toBe(1);
  await store.verifiedPart(part);
});

test("a manifest under the name of another one is not believed", async () => {
  const { index, store } = await filledIndex(10);
  await takeSnapshot(index, store, { now: start, partRows });
  const { remote, folder } = await farStore();
  await pushSnapshot(store, remote, newest);
  const [name = ""] = await manifests(folder);
  await rename(name, name.replace(/\d{8}t/, "29990101t"));
  const pulling = pullSnapshot(await emptyStore(), remote, newest);
  await expect(pulling).rejects.toMatchObject({ code: "CORRUPT" });
});

test("of several installations on a backend the own one is meant, or a CID must be given", async () => {
  const { remote } = await farStore();
  const [mine, theirs] = [await filledIndex(5), await filledIndex(6)];
  const first = await takeSnapshot(mine.index, mine.store, { now: start, partRows });
  const second = await takeSnapshot(theirs.index, theirs.store, { now: later(1), partRows });
  await pushSnapshot(mine.store, remote, newest);
  await pushSnapshot(theirs.store, remote, newest);
  const other = await emptyStore();
  const unclear = pullSnapshot(other, remote, newest);
  await expect(unclear).rejects.toMatchObject({ code: "CONFLICT" });
  const installation = await installationOf(mine.index);
  const own = await pullSnapshot(other, remote, { ...newest, installation });
  expect(own.cid).toBe(first.cid);
  const named = await pullSnapshot(other, remote, { snapshot: second.cid.slice(0, 30) });
  expect(named.cid).toBe(second.cid);
});

test("what was fetched from another installation is not taken for the own, nor crowds it out", async () => {
  const { remote } = await farStore();
  const [mine, theirs] = [await filledIndex(5), await filledIndex(6)];
  await takeSnapshot(theirs.index, theirs.store, { now: later(9), partRows });
  await pushSnapshot(theirs.store, remote, newest);
  const store = new SnapshotStore(mine.store.directory, () => installationOf(mine.index));
  const own: string[] = [];
  for (const hour of [0, 1]) {
    await readObjects(mine.index, `batch ${hour}`, [hour]);
    own.push((await takeSnapshot(mine.index, store, { now: later(hour), partRows })).cid);
  }
  const { cid } = await pullSnapshot(store, remote, newest);
  expect((await store.find("newest")).cid).toBe(own[1]);
  expect((await store.find(later(10).toISOString())).cid).toBe(own[1]);
  expect((await store.find(cid.slice(0, 30))).cid).toBe(cid);
  const { kept, removed } = await collectGarbage(store, { keep: 1 });
  expect(new Set(kept)).toEqual(new Set([cid, own[1]]));
  expect(removed).toEqual([own[0]]);
});

test("on an index without snapshots, those of another one are meant by their CIDs alone", async () => {
  const { remote } = await farStore();
  const [mine, theirs] = [await filledIndex(5), await filledIndex(6)];
  const { cid } = await takeSnapshot(theirs.index, theirs.store, { now: start, partRows });
  await pushSnapshot(theirs.store, remote, newest);
  const installation = await installationOf(mine.index);
  const store = new SnapshotStore(mine.store.directory, () => Promise.resolve(installation));
  await pullSnapshot(store, remote, { snapshot: cid });
  await expect(store.find("newest")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(store.find(later(1).toISOString())).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect((await store.find(cid)).cid).toBe(cid);
  const collected = await collectRemote(remote, { keep: 1, installation });
  expect(collected).toMatchObject({ kept: [], removed: [], partsRemoved: 0 });
});

test("one that was only fetched to be asked stands for no other, and crowds none out", async () => {
  const { index, store } = await filledIndex(5);
  const kept = await takeSnapshot(index, store, { now: start, partRows });
  await readObjects(index, "later", [1]);
  const passing = await takeSnapshot(index, store, { now: later(1), partRows });
  await new PassingSnapshots(store).mark(passing.cid, true);
  expect((await store.find("newest")).cid).toBe(kept.cid);
  expect((await collectGarbage(store, { keep: 1 })).removed).toEqual([]);
  const taken = await takeSnapshot(index, store, { now: later(2), partRows });
  expect(taken).toMatchObject({ unchanged: false, parent: kept.cid });
  expect((await collectGarbage(store, { keep: 1 })).removed).toEqual([kept.cid]);
  expect((await store.findKept("newest")).cid).toBe(taken.cid);
});

test("parts that somebody clears away during a push are sent again", async () => {
  const { index, store } = await filledIndex(30);
  const { cid } = await takeSnapshot(index, store, { now: start, partRows });
  const { remote } = await farStore();
  const installation = await installationOf(index);
  const clearing = Object.create(remote, {
    list: {
      value: async () => {
        // Just before the manifest is there to name them.
        const listed = await remote.list();
        for (const part of await remote.parts(installation)) {
          await remote.removePart(installation, part[0]);
        }
        return listed;
      },
    },
    parts: { value: (whose: string) => remote.parts(whose) },
    sendPart: { value: remote.sendPart.bind(remote) },
    sendManifest: { value: remote.sendManifest.bind(remote) },
    isWhole: { value: remote.isWhole.bind(remote) },
  }) as typeof remote;
  const pushed = await pushSnapshot(store, clearing, newest);
  expect(pushed.partsMoved).toBe(2 * distinctParts((await store.find(cid)).manifest).length);
  expect(await pullSnapshot(await emptyStore(), remote, newest)).toMatchObject({ cid });
});

test("a time means the newest snapshot that is not after it", async () => {
  const { index, store } = await filledIndex(10);
  const { remote } = await farStore();
  const cids: string[] = [];
  for (const hour of [0, 1, 2]) {
    await readObjects(index, `batch ${hour}`, [hour]);
    const { cid } = await takeSnapshot(index, store, { now: later(hour), partRows });
    await pushSnapshot(store, remote, { snapshot: cid });
    cids.push(cid);
  }
  const other = await emptyStore();
  const at = (hours: number) => ({ snapshot: later(hours).toISOString() });
  expect((await pullSnapshot(other, remote, at(1.5))).cid).toBe(cids[1]);
  expect((await store.find(later(1).toISOString())).cid).toBe(cids[1]);
  expect((await pullSnapshot(other, remote, at(9))).cid).toBe(cids[2]);
  await expect(pullSnapshot(other, remote, at(-1))).rejects.toMatchObject({ code: "NOT_FOUND" });
  const nonsense = store.find("2026-99-99");
  await expect(nonsense).rejects.toMatchObject({ code: "USAGE" });
});

test("old snapshots on a backend go with the parts that only they had", async () => {
  const { index, store } = await filledIndex(50);
  const { remote, folder } = await farStore();
  for (const hour of [0, 1, 2]) {
    await readObjects(index, `batch ${hour}`, [hour]);
    await takeSnapshot(index, store, { now: later(hour), partRows });
    await pushSnapshot(store, remote, newest);
  }
  const installation = await installationOf(index);
  const before = await remote.parts(installation);
  const request = { keep: 1, installation };
  const dry = await collectRemote(remote, { ...request, dryRun: true });
  expect(dry.removed).toHaveLength(2);
  expect(dry.partsRemoved).toBeGreaterThan(0);
  expect(await remote.list()).toHaveLength(3);
  expect(await collectRemote(remote, request)).toEqual(dry);
  const left = await (await openFarStore(folder)).parts(installation);
  expect(left.size).toBe(before.size - dry.partsRemoved);
  const { manifest } = await store.find("newest");
  expect(left.size).toBe(distinctParts(manifest).length);
  expect(await pullSnapshot(await emptyStore(), remote, newest)).toMatchObject({
    partsMoved: left.size,
  });
});

test("while a manifest on a backend is damaged no part goes", async () => {
  const { index, store } = await filledIndex(20);
  const { remote, folder } = await farStore();
  for (const hour of [0, 1]) {
    await readObjects(index, `batch ${hour}`, [hour]);
    await takeSnapshot(index, store, { now: later(hour), partRows });
    await pushSnapshot(store, remote, newest);
  }
  const newestManifest = (await manifests(folder)).toSorted().at(-1) ?? "";
  await spoil(newestManifest);
  const collected = await collectRemote(remote, { keep: 1, installation: undefined });
  expect(collected).toMatchObject({ partsRemoved: 0, removed: [expect.any(String)] });
});

async function partFile(folder: string, cid: string): Promise<string> {
  const all = await readdir(join(folder, "named"), { recursive: true });
  const name = all.find((file) => file.endsWith(`${cid}.parquet`));
  return join(folder, "named", name ?? "missing");
}

async function manifests(folder: string): Promise<readonly string[]> {
  const all = await readdir(join(folder, "named"), { recursive: true });
  return all.filter((file) => file.endsWith(".cbor")).map((file) => join(folder, "named", file));
}

/** Changes one byte in the middle. */
async function spoil(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await rm(path);
  await writeFile(path, bytes);
}
