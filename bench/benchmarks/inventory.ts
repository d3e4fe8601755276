import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import s3 from "#drivers/s3/s3.ts";
import { takeInventory } from "#engine/imports/take-inventory.ts";
import { DuckDBInstance } from "#index/duckdb.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { Driver, ListedCopy } from "#model/driver.ts";
import { localFacts } from "../copy-plan.ts";
import type { Benchmark, BenchmarkPlace, Measurement } from "../runner/benchmark.ts";
import { compare, counted } from "../runner/compare.ts";
import { peakMemory } from "../runner/peak-memory.ts";
import { duckdbLimit, threads, type Workbench } from "../runner/workbench.ts";
import { sampleCid } from "../sample-objects.ts";

const bucket = "bench";
const sizes = 100_000;
const formats = ["CSV", "Parquet"] as const;
type Format = (typeof formats)[number];

export default {
  name: "inventory",
  about: "inventories of S3 and of pins, first and again, against DuckDB's own reading",
  rounds: 1,
  prepare: makeInventories,
  async measure(bench) {
    bench.allow(duckdbLimit);
    const base = peakMemory();
    const ours = [
      ...(await compareS3(bench, "CSV")),
      ...(await compareS3(bench, "Parquet")),
      ...(await comparePins(bench)),
    ];
    return [
      ...ours,
      counted({
        what: "memory, with the other side's",
        ours: peakMemory() - base,
        peer: bench.limitBytes,
        peerName: "both limits",
        unit: "B",
        better: "less",
      }),
    ];
  },
} satisfies Benchmark;

async function compareS3(bench: Workbench, format: Format): Promise<readonly Measurement[]> {
  const path = dataFile(bench, format);
  const read = format === "CSV" ? `read_csv('${path}', all_varchar = true)` : `'${path}'`;
  const manifest = join(bench.folder, format, "now", "manifest.json");
  const driver = await openBucket();
  try {
    const take = (index: ObjectIndex) =>
      inventory(bench, index, driver, { backend: bucket, s3Inventory: manifest });
    return await compareTwice(bench, `an S3 Inventory as ${format}`, take, read);
  } finally {
    await driver.close();
  }
}

/** What a node says of its pins as fast as it can be taken; what nodes need for it is theirs. */
async function comparePins(bench: Workbench): Promise<readonly Measurement[]> {
  const list = async function* list() {
    for await (const line of createInterface({ input: createReadStream(keysFile(bench)) })) {
      const [cid = "", size] = line.split(",");
      const bytes = Number(size);
      const copy = { locator: cid, form: "dag", bytes } as const;
      yield { cid, copy, size: bytes, cursor: cid } satisfies ListedCopy;
    }
  };
  const driver = { list, stat: () => Promise.resolve(undefined) } as unknown as Driver;
  const take = (index: ObjectIndex) => inventory(bench, index, driver, { backend: bucket });
  const read = `'${dataFile(bench, "Parquet")}'`;
  return await compareTwice(bench, "a list of pins", take, read);
}

/** Into an empty index, and once more. */
async function compareTwice(
  bench: Workbench,
  what: string,
  take: (index: ObjectIndex) => Promise<number>,
  read: string,
): Promise<readonly Measurement[]> {
  const duckdb = await bench.openDuckdb();
  const path = bench.path("inventory.duckdb");
  const taken = async (expected: number): Promise<void> => {
    const index = await ObjectIndex.open(path, { memoryLimit: duckdbLimit, threads });
    try {
      await index.syncBackends([localFacts(bucket)]);
      const found = await take(index);
      if (found !== expected) throw new Error(`${found} of ${expected} were unexpected`);
    } finally {
      await index.close();
    }
  };
  const peer = {
    rounds: bench.rounds,
    peer: () => duckdb.run(`CREATE OR REPLACE TEMP TABLE peer AS FROM ${read}`),
    peerName: "DuckDB's own reading",
  };
  const restore = () => rm(path, { force: true });
  const first = await compare({
    ...peer,
    what: `${what}, first`,
    restore,
    ours: () => taken(bench.objects),
  });
  const again = await compare({ ...peer, what: `${what}, again`, ours: () => taken(0) });
  await restore();
  return [first, again];
}

/** Says how many copies nobody knew. */
async function inventory(
  bench: Workbench,
  index: ObjectIndex,
  driver: Driver,
  request: { readonly backend: string; readonly s3Inventory?: string },
): Promise<number> {
  const context = {
    index,
    pool: { driver: () => Promise.resolve(driver) },
    config: { dataDirectory: bench.folder },
    now: () => new Date(),
  };
  let unexpected = 0;
  for await (const { report } of takeInventory(context, { ...request, restart: true })) {
    unexpected = report?.unexpected ?? 0;
  }
  return unexpected;
}

/** The driver as it is; of its service only the names of its keys are needed. */
async function openBucket(): Promise<Driver> {
  const place = { bucket, region: "none", endpoint: "http://127.0.0.1:9", forcePathStyle: true };
  const keys = { accessKeyId: "bench", secretAccessKey: "env:SECRET" };
  return await s3.open({
    backend: bucket,
    options: s3.options.parse({ ...place, ...keys }),
    capacityBytes: undefined,
    secret: () => Promise.resolve("secret"),
  });
}

function dataFile({ folder }: Pick<BenchmarkPlace, "folder">, format: Format): string {
  const name = format === "CSV" ? "list.csv.gz" : "list.parquet";
  return join(folder, format, "data", name);
}

function keysFile({ folder }: Pick<BenchmarkPlace, "folder">): string {
  return join(folder, "keys.csv");
}

/** In the order of keys and with the columns that S3 writes. */
async function makeInventories(place: BenchmarkPlace): Promise<void> {
  const keys = keysFile(place);
  const out = createWriteStream(keys);
  for (let at = 0; at < place.objects; at += 1) {
    if (!out.write(`${sampleCid(at).toString()},${at % sizes}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(threads),
    memory_limit: duckdbLimit,
    temp_directory: join(place.folder, "spilled"),
  });
  const connection = await instance.connect();
  const rows = `SELECT '${bucket}' AS bucket, column0 AS key, '' AS version_id, true AS is_latest,
      false AS is_delete_marker, column1::BIGINT AS size
    FROM read_csv('${keys}', header = false) ORDER BY key`;
  for (const format of formats) {
    await mkdir(join(place.folder, format, "data"), { recursive: true });
    const how = format === "CSV" ? "csv, HEADER false, FORCE_QUOTE *" : "parquet";
    await connection.run(`COPY (${rows}) TO '${dataFile(place, format)}' (FORMAT ${how})`);
    await writeManifest(place, format);
  }
  connection.closeSync();
  instance.closeSync();
}

async function writeManifest(place: BenchmarkPlace, format: Format): Promise<void> {
  const path = dataFile(place, format);
  const bytes = await readFile(path);
  const manifest = {
    sourceBucket: bucket,
    creationTimestamp: String(Date.now()),
    fileFormat: format,
    fileSchema: "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
    files: [
      { key: path, size: bytes.length, MD5checksum: createHash("md5").update(bytes).digest("hex") },
    ],
  };
  await mkdir(join(place.folder, format, "now"));
  await writeFile(join(place.folder, format, "now", "manifest.json"), JSON.stringify(manifest));
}
