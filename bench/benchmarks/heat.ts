import { stat } from "node:fs/promises";
import { cidKey } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { Access } from "#model/index-store.ts";
import { cidKeyOf, livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark } from "../runner/benchmark.ts";
import { bytesWritten } from "../runner/bytes-written.ts";
import { compare, counted } from "../runner/compare.ts";
import { duckdbLimit, threads } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";

/** Reads that one batch brings, as an access log does. */
const batchReads = 100_000;
const readsMax = 500_000;

export default {
  name: "heat",
  about: "reads folded into heat, against the group-by alone and a rewrite of the objects",
  rounds: 3,
  prepare: ({ folder, objects }) => makeLivelyIndex(`${folder}/index.duckdb`, objects),
  async measure(bench) {
    const batches = makeReads(bench.objects);
    let folds = 0;
    const fold = async (index: ObjectIndex): Promise<void> => {
      folds += 1;
      for (const [at, reads] of batches.entries()) {
        await index.recordAccesses(`fold ${folds}, batch ${at}`, reads);
      }
    };
    const written = await bytesOf(bench.path("index.duckdb"), fold);
    const index = await bench.openIndex();
    const bare = await bench.openDuckdb("bare.duckdb");
    await makeKeys(bare, bench.objects);
    const parquet = bench.path("objects.parquet");
    const rewrite = async (): Promise<void> => {
      await using session = await index.session();
      const text = "SELECT * FROM objects ORDER BY object_id";
      await session.exportParquet({ text, parameters: [] }, parquet);
    };
    const { rounds } = bench;
    const ours = () => fold(index);
    return [
      await compare({
        what: "reads folded into heat",
        rounds,
        goal: 2.5,
        ours,
        peer: () => groupOnly(bare, batches),
        peerName: "staged and grouped only",
      }),
      await compare({
        what: "the same, and a rewrite",
        rounds,
        goal: 0.2,
        ours,
        peer: rewrite,
        peerName: "all objects to Parquet",
      }),
      counted({
        what: "bytes written by a fold",
        ours: written,
        peer: (await stat(parquet)).size,
        peerName: "that Parquet file",
        unit: "B",
        better: "less",
        goal: 0.15,
      }),
    ];
  },
} satisfies Benchmark;

/** One read for each object, as far as the most goes; two of five objects are read. */
function makeReads(objects: number): readonly (readonly Access[])[] {
  const reads = Math.min(objects, readsMax);
  const all = Array.from({ length: reads }, (_, at) => ({
    object: sampleCid(
      ((at * 7_919) % Math.ceil(reads * 0.42)) * Math.floor(objects / reads),
    ).toString(),
    at: new Date(livelyTime.getTime() - at * 100),
    weight: 1,
  }));
  const starts = Array.from({ length: Math.ceil(reads / batchReads) }, (_, at) => at * batchReads);
  return starts.map((start) => all.slice(start, start + batchReads));
}

/** With the log of the database and the folding of that into its file. */
async function bytesOf(path: string, fold: (index: ObjectIndex) => Promise<void>): Promise<number> {
  const before = bytesWritten();
  const index = await ObjectIndex.open(path, { memoryLimit: duckdbLimit, threads });
  try {
    await fold(index);
  } finally {
    await index.close();
  }
  return bytesWritten() - before;
}

async function makeKeys(bare: Connection, objects: number): Promise<void> {
  await bare.run(`CREATE TABLE objects AS
    SELECT number AS object_id, ${cidKeyOf("digest")} AS cid_key
    FROM (SELECT range AS number, sha256(range::VARCHAR) AS digest FROM range(${objects}))`);
  await bare.run("CREATE INDEX by_cid ON objects (cid_key)");
}

/** What no fold can do without. */
async function groupOnly(bare: Connection, batches: readonly (readonly Access[])[]): Promise<void> {
  for (const reads of batches) {
    const rows = reads.map(({ object, at, weight }) => [cidKey(object).key, at, weight]);
    await bare.stage("reads", { key: "BIGINT", read_at: "TIMESTAMP", weight: "DOUBLE" }, rows);
    await bare.run(`CREATE OR REPLACE TEMP TABLE sums AS
      SELECT o.object_id, sum(weight), max(read_at) FROM reads JOIN objects AS o ON o.cid_key = key
      GROUP BY ALL`);
  }
}
