// What it costs to hand results over as Arrow record batches, against the ways that DuckDB and
// its binding have themselves. All sides run in turn on the same table, in one process.
//
//   node bench/arrow.ts [rows = 1000000] [rounds = 5]
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { DuckDBInstance } from "@duckdb/node-api";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { writePieces } from "#index/arrow/write-pieces.ts";
import { Connection } from "#index/connection.ts";
import { type Cost, costOf, median } from "./median.ts";

const rows = Number(process.argv[2] ?? 1_000_000);
const rounds = Number(process.argv[3] ?? 5);
/** What a worker needs of an action. */
const six = "sequence, verb, object_id, cid, size, profile";
/** All columns of a plan. */
const all = `${six}, source, target, victim, rule, reason, requirements`;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const instance = await DuckDBInstance.create(join(folder, "bench.duckdb"), { threads: "2" });
const connection = new Connection(await instance.connect());
try {
  await makePlan();
  for (const [name, columns] of [
    ["six columns", six],
    ["twelve columns", all],
  ] as const) {
    const text = `SELECT ${columns} FROM plan ORDER BY sequence`;
    await compare(`${name}, handed over; getRows()`, {
      ours: () => handOver(text),
      peer: () => readRows(text),
      better: "more",
    });
    await compare(`${name}, to a file with its CID; COPY to Parquet`, {
      ours: () => toFile(text),
      peer: () => copy(text),
      better: "less",
    });
  }
} finally {
  connection.close();
  instance.closeSync();
  await rm(folder, { recursive: true, force: true });
}

async function handOver(text: string): Promise<void> {
  let seen = 0;
  for await (const piece of connection.arrow({ text, parameters: [] }, "file")) seen += piece.rows;
  expectAll(seen);
}

async function readRows(text: string): Promise<void> {
  const reader = await connection.duckdb.runAndReadAll(text);
  expectAll(reader.getRows().length);
}

async function toFile(text: string): Promise<void> {
  const path = join(folder, "batch.arrow");
  const file = await open(path, "w");
  const hasher = new FileHasher(profileNamed("unixfs-v1-2025"));
  try {
    for await (const { bytes } of connection.arrow({ text, parameters: [] }, "file")) {
      const written = writePieces(file, bytes);
      for (const piece of bytes) hasher.update(piece);
      await written;
    }
    hasher.finish();
  } finally {
    await file.close();
    await rm(path);
  }
}

async function copy(text: string): Promise<void> {
  const path = join(folder, "batch.parquet");
  await connection.run(`COPY (${text}) TO '${path}'
    (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)`);
  await rm(path);
}

interface Sides {
  readonly ours: () => Promise<void>;
  readonly peer: () => Promise<void>;
  readonly better: "more" | "less";
}

async function compare(name: string, { ours, peer, better }: Sides): Promise<void> {
  const costs: { ours: Cost[]; peer: Cost[] } = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round += 1) {
    // What one side leaves behind is not collected at the other's cost.
    collectGarbage();
    costs.ours.push(await costOf(ours));
    collectGarbage();
    costs.peer.push(await costOf(peer));
  }
  const [mine, theirs] = [middle(costs.ours), middle(costs.peer)];
  const ratio = (of: keyof Cost) =>
    (better === "more" ? theirs[of] / mine[of] : mine[of] / theirs[of]).toFixed(2);
  console.log(
    `${name}: ${describe(mine)}; ${describe(theirs)}; ` +
      `${ratio("seconds")}x of the time, ${ratio("processor")}x of the processor time`,
  );
}

function middle(costs: readonly Cost[]): Cost {
  return {
    seconds: median(costs.map(({ seconds }) => seconds)),
    processor: median(costs.map(({ processor }) => processor)),
  };
}

function describe({ seconds, processor }: Cost): string {
  const rate = (rows / seconds / 1e6).toFixed(2);
  return `${seconds.toFixed(2)} s (${rate} M rows/s, processor ${processor.toFixed(2)} s)`;
}

function expectAll(seen: number): void {
  if (seen !== rows) throw new Error(`${seen} of ${rows} rows came`);
}

async function makePlan(): Promise<void> {
  await connection.run(`CREATE TABLE plan AS
    SELECT range AS sequence, ['replicate', 'demote', 'evict'][1 + range % 3] AS verb,
      range * 7 AS object_id, unhex('01551220' || sha256(range::VARCHAR)) AS cid,
      (hash(range) % 1000000)::BIGINT AS size, 'unixfs-v1-2025' AS profile,
      (range % 3)::INTEGER AS source, CASE WHEN range % 2 = 0 THEN 4 END::INTEGER AS target,
      CASE WHEN range % 2 = 1 THEN 2 END::INTEGER AS victim,
      'cool-down/rule-' || range % 5 AS rule,
      'idle for ' || range % 90 || ' days, needs 30' AS reason, '[]' AS requirements
    FROM range(${rows})`);
  await connection.run("CHECKPOINT");
}
