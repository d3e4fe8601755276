import { open, rm } from "node:fs/promises";
import { FileHasher } from "#content/file-hasher.ts";
import { profileNamed } from "#content/profile.ts";
import { writePieces } from "#index/arrow/write-pieces.ts";
import type { Connection } from "#index/connection.ts";
import type { Benchmark, Measurement } from "../runner/benchmark.ts";
import { compare } from "../runner/compare.ts";
import type { Workbench } from "../runner/workbench.ts";

/** What a worker needs of an action. */
const six = "sequence, verb, object_id, cid, size, profile";
/** All columns of a plan. */
const twelve = `${six}, source, target, victim, rule, reason, requirements`;
/** As objects of JavaScript more of them would need memory by the gigabyte. */
const rowObjectsMax = 500_000;

export default {
  name: "arrow",
  about: "results as Arrow record batches, against DuckDB's rows and its own COPY",
  sidesApart: true,
  async measure(bench) {
    const connection = await bench.openDuckdb("plan.duckdb");
    await makePlan(connection, bench.objects);
    return [
      ...(await compareColumns(bench, connection, "six columns", six, { speed: 6, file: 1.5 })),
      ...(await compareColumns(bench, connection, "twelve columns", twelve, {})),
    ];
  },
} satisfies Benchmark;

async function compareColumns(
  bench: Workbench,
  connection: Connection,
  name: string,
  columns: string,
  goals: { readonly speed?: number; readonly file?: number },
): Promise<readonly Measurement[]> {
  const { rounds, objects: rows } = bench;
  const text = `SELECT ${columns} FROM plan ORDER BY sequence`;
  const peerRows = Math.min(rows, rowObjectsMax);
  const readRows = async (): Promise<void> => {
    const reader = await connection.duckdb.runAndReadAll(`${text} LIMIT ${peerRows}`);
    expectAll(reader.getRows().length, peerRows);
  };
  return [
    await compare({
      what: `${name} handed over as Arrow`,
      rounds,
      rows,
      peerRows,
      ours: () => handOver(connection, text, rows),
      peer: readRows,
      peerName: "getRows()",
      ...(goals.speed === undefined ? {} : { goal: goals.speed }),
    }),
    await compare({
      what: `${name} as arrays`,
      rounds,
      rows,
      peerRows,
      ours: async () => {
        let seen = 0;
        for await (const batch of connection.columns({ text, parameters: [] })) seen += batch.rows;
        expectAll(seen, rows);
      },
      peer: readRows,
      peerName: "getRows()",
    }),
    await compare({
      what: `${name} to an Arrow file with its CID`,
      rounds,
      ours: () => toFile(connection, text, bench.path("batch.arrow")),
      peer: () => copy(connection, text, bench.path("batch.parquet")),
      peerName: "COPY to Parquet",
      ...(goals.file === undefined ? {} : { goal: goals.file }),
    }),
  ];
}

async function handOver(connection: Connection, text: string, rows: number): Promise<void> {
  let seen = 0;
  for await (const piece of connection.arrow({ text, parameters: [] }, "file")) seen += piece.rows;
  expectAll(seen, rows);
}

async function toFile(connection: Connection, text: string, path: string): Promise<void> {
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

async function copy(connection: Connection, text: string, path: string): Promise<void> {
  await connection.run(`COPY (${text}) TO '${path}'
    (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)`);
  await rm(path);
}

function expectAll(seen: number, rows: number): void {
  if (seen !== rows) throw new Error(`${seen} of ${rows} rows came`);
}

async function makePlan(connection: Connection, rows: number): Promise<void> {
  await connection.run(`CREATE OR REPLACE TABLE plan AS
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
