// What a snapshot of the index costs: the first one against DuckDB's own COPY of the same tables
// in the same run, one of an unchanged index, and what is written after one per cent changed.
//   node bench/snapshot.ts [objects = 500000]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { SnapshotReport } from "#model/index-snapshot.ts";
import { localFacts } from "./copy-plan.ts";
import { secondsOf } from "./median.ts";
import { sampleCid, sampleObject, sampleTime } from "./sample-objects.ts";

const objects = Number(process.argv[2] ?? 500_000);
const batchRows = 20_000;
const onePerCent = Math.ceil(objects / 100);

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const index = await ObjectIndex.open(join(folder, "index.duckdb"), { threads: 2 });
const store = new SnapshotStore(join(folder, "snapshots"));
let taken = 0;
try {
  await index.syncBackends([localFacts("hot"), localFacts("cold")]);
  for (let from = 0; from < objects; from += batchRows) {
    const count = Math.min(batchRows, objects - from);
    await index.putObjects(
      Array.from({ length: count }, (_, row) => sampleObject(from + row)),
      sampleTime,
    );
  }
  const plain = await secondsOf(copyPlainly);
  console.log(`${objects} objects; DuckDB's COPY of objects and copies: ${plain.toFixed(2)} s`);
  const first = await snapshot("the first");
  console.log(`  ${(first.seconds / plain).toFixed(2)}x of COPY, with fingerprints and CIDs`);
  await snapshot("unchanged");
  await read("neighbours", (number) => number);
  await snapshot("1 % read, neighbours", first);
  await read("spread", (number) => number * 100);
  await snapshot("1 % read, spread evenly", first);
  await index.hold(
    Array.from({ length: onePerCent }, (_, number) => number),
    "bench",
    sampleTime,
  );
  await snapshot("1 % held, neighbours", first);
} finally {
  await index.close();
  await rm(folder, { recursive: true, force: true });
}

async function copyPlainly(): Promise<void> {
  await using session = await index.session();
  for (const table of ["objects", "copies"]) {
    const text = `SELECT * FROM ${table} ORDER BY object_id`;
    await session.exportParquet({ text, parameters: [] }, join(folder, `${table}.parquet`));
  }
}

async function snapshot(
  what: string,
  of?: SnapshotReport,
): Promise<SnapshotReport & { readonly seconds: number }> {
  const begun = performance.now();
  taken += 1;
  const now = new Date(sampleTime.getTime() + taken * 1_000);
  const report = await takeSnapshot(index, store, { now });
  const seconds = (performance.now() - begun) / 1_000;
  const { bytesWritten, bytes, partsWritten, parts } = report;
  const share = of === undefined ? "" : `, ${((100 * bytesWritten) / of.bytes).toFixed(1)} %`;
  console.log(
    `${what.padEnd(26)} ${seconds.toFixed(2)} s, wrote ${partsWritten} of ${parts} parts, ` +
      `${bytesWritten} of ${bytes} bytes${share}`,
  );
  return { ...report, seconds };
}

async function read(batch: string, pick: (number: number) => number): Promise<void> {
  const accesses = Array.from({ length: onePerCent }, (_, number) => ({
    object: sampleCid(pick(number) % objects).toString(),
    at: sampleTime,
    weight: 1,
  }));
  await index.recordAccesses(batch, accesses);
}
