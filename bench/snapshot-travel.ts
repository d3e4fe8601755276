// What it costs to send, fetch and open a snapshot, in processor time of this process, against
// reading all bytes of its parts under their CIDs, which each of these has to do at least once.
//   node bench/snapshot-travel.ts [objects = 200000]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import local from "#drivers/local/local.ts";
import { OpenedSnapshots } from "#engine/snapshots/opened-snapshots.ts";
import { pullSnapshot } from "#engine/snapshots/pull-snapshot.ts";
import { pushSnapshot } from "#engine/snapshots/push-snapshot.ts";
import { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import { formatSize } from "#model/quantity.ts";
import { localFacts } from "./copy-plan.ts";
import { costOf } from "./median.ts";
import { sampleObject, sampleTime } from "./sample-objects.ts";

const objects = Number(process.argv[2] ?? 200_000);
const batchRows = 20_000;
const newest = { snapshot: "newest" };

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const index = await ObjectIndex.open(join(folder, "index.duckdb"), { threads: 2 });
const store = new SnapshotStore(join(folder, "snapshots"));
const other = new SnapshotStore(join(folder, "other"));
const driver = await local.open({
  backend: "far",
  options: local.options.parse({ path: join(folder, "far") }),
  capacityBytes: undefined,
  secret: () => Promise.reject(new Error("no secret is needed")),
});
try {
  await index.syncBackends([localFacts("hot"), localFacts("cold")]);
  for (let from = 0; from < objects; from += batchRows) {
    const count = Math.min(batchRows, objects - from);
    const batch = Array.from({ length: count }, (_, row) => sampleObject(from + row));
    await index.putObjects(batch, sampleTime);
  }
  const { cid, bytes } = await takeSnapshot(index, store, { now: new Date() });
  const snapshot = await store.find(cid);
  console.log(`${objects} objects, ${formatSize(bytes)}`);
  const remote = new RemoteSnapshots("far", requireNamedFiles(driver, "far"));
  const settings = { heatHalfLifeMs: 604_800_000, clockSkewMs: 90_000 };
  const opened = new OpenedSnapshots(other, { memoryLimit: "1GiB", threads: 2, ...settings });
  const { processor: plain } = await costOf(async () => {
    for (const part of distinctParts(snapshot.manifest)) await store.verifiedPart(part);
  });
  console.log(`reading all parts under their CIDs: ${plain.toFixed(2)} s`);
  const tell = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const { processor: seconds } = await costOf(work);
    console.log(`${what}: ${seconds.toFixed(2)} s, ${(seconds / plain).toFixed(1)}x`);
  };
  const count = async (): Promise<void> => {
    await using reading = await opened.open(snapshot);
    await reading.index.totals(1);
  };
  await tell("push", () => pushSnapshot(store, remote, newest));
  await tell("push again", () => pushSnapshot(store, remote, newest));
  await tell("pull", () => pullSnapshot(other, remote, newest));
  await tell("open and ask", count);
  await tell("ask again", count);
} finally {
  await driver.close();
  await index.close();
  await rm(folder, { recursive: true, force: true });
}
