import { cidKey } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { Database } from "#index/database.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { foldAccesses } from "#index/fold-accesses.ts";
import type { Access } from "#model/index-store.ts";
import { cidKeyOf, livelyTime, makeLivelyIndex } from "../lively-index.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { bytesWritten } from "../runner/bytes-written.ts";
import { compare, counted } from "../runner/compare.ts";
import { duckdbLimit, threads, type Workbench } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";
import { makeWideTable, rewriteWideTable, wideTableBytes } from "../wide-table.ts";

/** Reads that one batch brings, as an access log does. */
const batchReads = 100_000;
const readsMax = 500_000;
const peerName = "a wide Parquet table rewritten";

export default {
  name: "heat",
  about: "reads folded into heat, against grouping alone and a rewrite of wide Parquet",
  rounds: 3,
  async prepare({ folder, objects }) {
    await makeLivelyIndex(`${folder}/index.duckdb`, objects);
    await makeWideTable(folder, objects);
  },
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
    const reads = Math.min(bench.objects, readsMax);
    await bare.run(`CREATE TABLE grouped AS ${groupReads(readsOf(reads, bench.objects))}`);
    const { rounds, folder } = bench;
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
        peer: () => rewriteWideTable(bare, folder),
        peerName,
      }),
      await compareBytes("bytes written by a fold", written, folder),
    ];
    await index.close();
    return [...measured, ...(await compareStaged(bench))];
  },
} satisfies Benchmark;

/**
 * The conditions under which the goals were set: as many reads as there are objects, of two of
 * five of them, in a table with the ids of their objects, folded at once.
 */
async function compareStaged(bench: Workbench): Promise<readonly Measurement[]> {
  const path = bench.path("index.duckdb");
  const limits = { readOnly: false, memoryLimit: duckdbLimit, threads, now: livelyTime };
  const database = await Database.open(path, limits);
  const connection = await database.connect();
  try {
    const reads = readsOf(bench.objects, bench.objects);
    await connection.run(`CREATE TEMP TABLE resolved_accesses AS ${reads}`);
    const fold = async () => {
      await database.write((transaction) => foldAccesses(transaction, livelyTime), connection);
    };
    const before = bytesWritten();
    await fold();
    await connection.run("CHECKPOINT");
    const written = bytesWritten() - before;
    const { rounds, folder } = bench;
    const group = groupReads("FROM resolved_accesses");
    return [
      await compare({
        what: "reads in a table folded at once",
        rounds,
        goal: 2.5,
        ours: fold,
        peer: () => connection.run(`CREATE OR REPLACE TEMP TABLE grouped AS ${group}`),
        peerName: "grouped only",
      }),
      await compare({
        what: "the same at once, and a rewrite",
        rounds,
        goal: 0.2,
        ours: fold,
        peer: () => rewriteWideTable(connection, folder),
        peerName,
      }),
      await compareBytes("bytes written by that", written, folder),
    ];
  } finally {
    connection.close();
    await database.close();
  }
}

/** SQL for so many reads of two of five of the objects, spread over as much as that of the ids. */
const readsOf = (reads: number, objects: number): string => `
  SELECT (range * 7919) % ${Math.ceil(reads * 0.42)} * ${Math.floor(objects / reads)} AS object_id,
    1.0 AS weight, make_timestamp(${livelyTime.getTime() * 1_000} - range * 1000) AS read_at
  FROM range(${reads})`;

const groupReads = (reads: string): string => `
  SELECT object_id, sum(weight) AS weight, max(read_at) AS read_at FROM (${reads})
  GROUP BY object_id`;

async function compareBytes(what: string, ours: number, folder: string): Promise<Measurement> {
  const peer = await wideTableBytes(folder);
  const goal = 0.15;
  return counted({
    what,
    ours,
    peer,
    peerName: "that Parquet file",
    unit: "B",
    better: "less",
    goal,
  });
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
