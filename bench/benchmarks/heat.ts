import { stat } from "node:fs/promises";
import { cidKey } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { Database } from "#index/database.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { foldAccesses } from "#index/record-accesses.ts";
import type { Access } from "#model/index-store.ts";
import { cidKeyOf, livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { bytesWritten } from "../runner/bytes-written.ts";
import { compare, counted } from "../runner/compare.ts";
import { duckdbLimit, threads, type Workbench } from "../runner/workbench.ts";
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
    const measured = [
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
    await index.close();
    return [...measured, ...(await compareStaged(bench, parquet))];
  },
} satisfies Benchmark;

/**
 * The conditions under which the goals were set: as many reads as there are objects, of two of
 * five of them, in a table with the ids of their objects, folded at once.
 */
async function compareStaged(bench: Workbench, parquet: string): Promise<readonly Measurement[]> {
  const path = bench.path("index.duckdb");
  const limits = { readOnly: false, memoryLimit: duckdbLimit, threads, now: livelyTime };
  const database = await Database.open(path, limits);
  const connection = await database.connect();
  try {
    await connection.run(`CREATE TEMP TABLE resolved_accesses AS
      SELECT (range * 7919) % ceil(${bench.objects} * 0.42)::BIGINT AS object_id, 1.0 AS weight,
        make_timestamp(${livelyTime.getTime() * 1_000} - range * 1000) AS read_at
      FROM range(${bench.objects})`);
    const fold = async () => {
      await database.write((transaction) => foldAccesses(transaction, livelyTime), connection);
    };
    const before = bytesWritten();
    await fold();
    await connection.run("CHECKPOINT");
    const written = bytesWritten() - before;
    const { rounds } = bench;
    const group = `CREATE OR REPLACE TEMP TABLE sums AS
      SELECT object_id, sum(weight), max(read_at) FROM resolved_accesses GROUP BY object_id`;
    // In the form in which the index writes Parquet.
    const select = `COPY (FROM objects ORDER BY object_id) TO '${parquet}'
      (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)`;
    return [
      await compare({
        what: "reads in a table folded at once",
        rounds,
        goal: 2.5,
        ours: fold,
        peer: () => connection.run(group),
        peerName: "grouped only",
      }),
      await compare({
        what: "the same at once, and a rewrite",
        rounds,
        goal: 0.2,
        ours: fold,
        peer: () => connection.run(select),
        peerName: "all objects to Parquet",
      }),
      counted({
        what: "bytes written by that",
        ours: written,
        peer: (await stat(parquet)).size,
        peerName: "that Parquet file",
        unit: "B",
        better: "less",
        goal: 0.15,
      }),
    ];
  } finally {
    connection.close();
    await database.close();
  }
}

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
