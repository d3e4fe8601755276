// Takes a snapshot in a process of its own: <index file> <folder of snapshots> <rows in a part>.
import { copyFile, rm } from "node:fs/promises";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { ObjectIndex } from "#index/object-index.ts";

const [path = "", directory = "", partRows = ""] = process.argv.slice(2);
const now = new Date("2026-01-01T00:00:00Z");
const copy = `${path}.${process.pid}`;
await copyFile(path, copy);
const index = await ObjectIndex.open(copy, { threads: 3, now: () => now });
try {
  const store = new SnapshotStore(directory);
  const { cid } = await takeSnapshot(index, store, { now, partRows: Number(partRows) });
  console.log(cid);
} finally {
  await index.close();
  await rm(copy);
}
