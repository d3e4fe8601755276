import { rm } from "node:fs/promises";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { SnapshotReport } from "#model/index-snapshot.ts";
import { livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";

export default {
  name: "snapshot",
  about: "snapshots against DuckDB's COPY, and what is written after one per cent changed",
  rounds: 3,
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  sidesApart: true,
  async measure(bench) {
    const index = await bench.openIndex();
    const store = new SnapshotStore(bench.path("snapshots"));
    let taken = 0;
    const snapshot = async (): Promise<SnapshotReport> => {
      taken += 1;
      const now = new Date(livelyTime.getTime() + taken * 1_000);
      return await takeSnapshot(index, store, { now });
    };
    const plain = {
      rounds: bench.rounds,
      peer: () => copyPlainly(bench, index),
      peerName: "COPY of objects and copies",
    };
    const restore = () => rm(bench.path("snapshots"), { recursive: true, force: true });
    const first = await compare({ what: "a first snapshot", ours: snapshot, ...plain, restore });
    const again = await compare({ what: "one of an unchanged index", ours: snapshot, ...plain });
    if (bench.side !== undefined) return [first, again];
    const whole = (await snapshot()).bytes;
    const changed = async (what: string, change: () => Promise<unknown>) => {
      await change();
      const { bytesWritten: ours } = await snapshot();
      const peer = { peer: whole, peerName: "the whole snapshot" } as const;
      return counted({ what, ours, ...peer, unit: "B", better: "less" });
    };
    return [
      first,
      again,
      await changed("written after 1 % was read, neighbours", () => read(bench, index, 1)),
      await changed("written after 1 % was read, spread evenly", () => read(bench, index, 100)),
      await changed("written after 1 % was held, neighbours", () =>
        index.hold([...Array(onePerCent(bench)).keys()], "bench", livelyTime),
      ),
    ];
  },
} satisfies Benchmark;

function onePerCent({ objects }: Workbench): number {
  return Math.ceil(objects / 100);
}

async function copyPlainly(bench: Workbench, index: ObjectIndex): Promise<void> {
  await using session = await index.session();
  for (const table of ["objects", "copies"]) {
    const text = `SELECT * FROM ${table} ORDER BY object_id`;
    await session.exportParquet({ text, parameters: [] }, bench.path(`${table}.parquet`));
  }
}

/** Reads one per cent of all objects, each so far from the next. */
async function read(bench: Workbench, index: ObjectIndex, distance: number): Promise<void> {
  const accesses = Array.from({ length: onePerCent(bench) }, (_, at) => ({
    object: sampleCid((at * distance) % bench.objects).toString(),
    at: livelyTime,
    weight: 1,
  }));
  await index.recordAccesses(`every ${distance}`, accesses);
}
