// Takes a snapshot of an index with so many threads, and prints its CID.
//   node bench/snapshot-cid.ts <index.duckdb> <threads> <folder for the snapshot>
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { livelyTime } from "./lively-index.ts";
import { duckdbLimit } from "./runner/workbench.ts";

const [path = "", threads = "2", folder = ""] = process.argv.slice(2);
const index = await ObjectIndex.open(path, { threads: Number(threads), memoryLimit: duckdbLimit });
try {
  const { cid } = await takeSnapshot(index, new SnapshotStore(folder), { now: livelyTime });
  process.stdout.write(cid);
} finally {
  await index.close();
}
