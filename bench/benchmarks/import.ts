import { createHash, randomFillSync } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "#index/duckdb.ts";
import { cidKey } from "#index/cid-key.ts";
import type { Connection } from "#index/connection.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { NewObject } from "#model/index-store.ts";
import { makeWorkspace, workspaceConfig } from "../bench-workspace.ts";
import { localFacts } from "../copy-plan.ts";
import type { Benchmark, BenchmarkPlace, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import { program, runCommand, runNode } from "../runner/run-program.ts";
import { duckdbLimit, threads, type Workbench } from "../runner/workbench.ts";
import { sampleObject, sampleTime } from "../sample-objects.ts";

/** More of them would fill a disk and tell nothing new. */
const filesMax = 20_000;
const fileBytes = 4_096;
const largeBytesMax = 512 * 1024 ** 2;
const putMax = 100_000;
const putRows = 20_000;

export default {
  name: "import",
  about: "manifests against DuckDB's own reading, files against cp and sha256sum",
  rounds: 1,
  prepare: async (place) => {
    await makeWorkspace(place.folder, "- {name: keep, where: size >= 0B, hold: true}");
    await makeManifests(place);
    await makeFiles(place);
  },
  async measure(bench) {
    return [
      ...(await compareManifests(bench)),
      ...(await compareFiles(bench)),
      await comparePut(bench),
    ];
  },
} satisfies Benchmark;

/** The real program on the three forms of the same rows, first and again; copies are claimed. */
async function compareManifests(bench: Workbench): Promise<readonly Measurement[]> {
  const duckdb = await bench.openDuckdb();
  const config = await workspaceConfig(bench.folder);
  const restore = () => rm(config.dataDirectory, { recursive: true, force: true });
  const [csv, ndjson, parquet] = ["csv", "ndjson", "parquet"].map((ext) => manifest(bench, ext));
  let peak = 0;
  const measurements: Measurement[] = [];
  for (const [what, file = "", read] of [
    ["CSV", csv, `read_csv('${csv}', all_varchar = true)`],
    ["NDJSON", ndjson, `read_json('${ndjson}', format = 'newline_delimited')`],
    ["Parquet", parquet, `read_parquet('${parquet}')`],
  ] as const) {
    const args = [program, "import", "manifest", file, "--backend", "on-hot", "-q"];
    const sides = {
      rounds: bench.rounds,
      ours: async () => {
        peak = Math.max(peak, await runNode(args, bench.folder));
      },
      peer: () => duckdb.run(`CREATE OR REPLACE TEMP TABLE peer AS FROM ${read}`),
      peerName: "DuckDB's own reading",
    };
    measurements.push(await compare({ ...sides, what: `a manifest as ${what}`, restore }));
    // What most people import is known, but for what is new since the day before.
    measurements.push(await compare({ ...sides, what: `a manifest as ${what}, again` }));
  }
  await restore();
  return [
    ...measurements,
    counted({
      what: "memory of an import of a manifest",
      ours: peak,
      peer: config.index.memoryBytes,
      peerName: "DuckDB's limit",
      unit: "B",
      better: "less",
    }),
  ];
}

/** Many small files and a large one, each copied into the backend, against what a shell does. */
async function compareFiles(bench: Workbench): Promise<readonly Measurement[]> {
  const config = await workspaceConfig(bench.folder);
  const copy = bench.path("copied");
  const compareFolder = async (what: string, source: string) =>
    await compare({
      what,
      rounds: bench.rounds,
      restore: async () => {
        for (const path of [config.dataDirectory, bench.path("hot"), copy]) {
          await rm(path, { recursive: true, force: true });
        }
      },
      ours: () =>
        runNode([program, "import", "dir", source, "--backend", "on-hot", "-q"], bench.folder),
      peer: async () => {
        await runCommand("cp", "-r", source, copy);
        // Durable as the import is, which answers only when its bytes are on the disk.
        await runCommand("sync", "-f", copy);
        const hash = `find "$0" -type f -print0 | xargs -0 sha256sum > /dev/null`;
        await runCommand("sh", "-c", hash, copy);
      },
      peerName: "cp, sync and sha256sum",
    });
  return [
    await compareFolder("small files", bench.path("small")),
    await compareFolder("a large file", bench.path("large")),
  ];
}

/** Objects with a copy each, put into an index; and the same rows written without a question. */
async function comparePut(bench: Workbench): Promise<Measurement> {
  const count = Math.min(bench.objects, putMax);
  const starts = Array.from({ length: Math.ceil(count / putRows) }, (_, at) => at * putRows);
  const batches = starts.map((start) =>
    Array.from({ length: Math.min(putRows, count - start) }, (_, at) => sampleObject(start + at)),
  );
  const bare = await bench.openDuckdb();
  const path = bench.path("put.duckdb");
  return await compare({
    what: "objects put into an index",
    rounds: bench.rounds,
    restore: () => rm(path, { force: true }),
    ours: async () => {
      const index = await ObjectIndex.open(path, { memoryLimit: duckdbLimit, threads });
      try {
        await index.syncBackends([localFacts("hot")]);
        for (const batch of batches) await index.putObjects(batch, sampleTime);
      } finally {
        await index.close();
      }
    },
    peer: async () => {
      await bare.run(`CREATE OR REPLACE TABLE objects (object_id BIGINT, cid_key BIGINT, cid BLOB,
        size BIGINT, profile VARCHAR, path VARCHAR)`);
      await bare.run("CREATE INDEX by_cid ON objects (cid_key)");
      await bare.run(`CREATE OR REPLACE TABLE copies (object_id BIGINT, locator VARCHAR,
        checked TIMESTAMP)`);
      for (const [at, batch] of batches.entries()) await appendRows(bare, batch, at * putRows);
    },
    peerName: "their rows in two tables",
  });
}

async function appendRows(bare: Connection, batch: readonly NewObject[], from: number) {
  const types = ["BIGINT", "BIGINT", "BLOB", "BIGINT", "VARCHAR", "VARCHAR"] as const;
  const objects = batch.map(({ cid, size, profile, names }, at) => {
    const { key, bytes } = cidKey(cid);
    return [from + at, key, bytes, size, profile, names[0]];
  });
  await bare.append("objects", types, objects);
  const copies = batch.map((object, at) => [from + at, object.copies[0]?.copy.locator, sampleTime]);
  await bare.append("copies", ["BIGINT", "VARCHAR", "TIMESTAMP"], copies);
}

function manifest({ folder }: Pick<BenchmarkPlace, "folder">, extension: string): string {
  return join(folder, `list.${extension}`);
}

async function makeManifests(place: BenchmarkPlace): Promise<void> {
  const csv = manifest(place, "csv");
  const out = createWriteStream(csv);
  out.write("cid,size,path,type,collection,owner,modified\n");
  for (let row = 0; row < place.objects; row += 1) {
    const digest = createHash("sha256").update(String(row)).digest("hex");
    const path = `/datasets/part-${row % 1_000}/file-${row}.bin`;
    const line = `f01551220${digest},${row % 100_000},${path},application/octet-stream,sets,team`;
    if (!out.write(`${line},2026-01-02T03:04:05Z\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");

  const instance = await DuckDBInstance.create(":memory:", { threads: String(threads) });
  const connection = await instance.connect();
  for (const [extension, format] of [
    ["ndjson", "json"],
    ["parquet", "parquet"],
  ] as const) {
    const to = manifest(place, extension);
    await connection.run(`COPY (FROM read_csv('${csv}')) TO '${to}' (FORMAT ${format})`);
  }
  connection.closeSync();
  instance.closeSync();
}

async function makeFiles({ folder, objects }: BenchmarkPlace): Promise<void> {
  const content = Buffer.alloc(fileBytes);
  for (let file = 0; file < Math.min(objects, filesMax); file += 1) {
    const path = join(folder, "small", `part-${Math.floor(file / 1_000)}`, `file-${file}.bin`);
    if (file % 1_000 === 0) await mkdir(dirname(path), { recursive: true });
    randomFillSync(content);
    await writeFile(path, content);
  }
  await mkdir(join(folder, "large"));
  const out = createWriteStream(join(folder, "large", "large.bin"));
  const piece = Buffer.alloc(fileBytes * 256);
  const bytes = Math.min(objects * fileBytes, largeBytesMax);
  for (let written = 0; written < bytes; written += piece.length) {
    randomFillSync(piece);
    out.write(Buffer.from(piece.subarray(0, Math.min(piece.length, bytes - written))));
    if (out.writableNeedDrain) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}
