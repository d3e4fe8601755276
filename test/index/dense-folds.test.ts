import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Database } from "#index/database.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { foldAccesses } from "#index/fold-accesses.ts";
import { livelyTime, makeLivelyIndex } from "../../bench/lively-index.ts";
import { temporaryFolder } from "./open-index.ts";

const objects = 120_000;
const read = 60_000;
/** Three reads of each of these objects, one of them on the day before the others. */
const readsOf = (times: number): string => `CREATE OR REPLACE TEMP TABLE resolved_accesses AS
  SELECT range % ${read} AS object_id, 0.5 AS weight,
    make_timestamp(${livelyTime.getTime() * 1_000})
      - to_hours(1 + 24 * (range // ${2 * read})) AS read_at
  FROM range(${3 * read}) CROSS JOIN range(${times}) AS again(turn)`;
let folder = "";
let lively = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-folds-"));
  lively = join(folder, "lively.duckdb");
  await makeLivelyIndex(lively, objects);
}, 180_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function openLively() {
  const path = join(await temporaryFolder(), "index.duckdb");
  await copyFile(lively, path);
  const limits = { memoryLimit: "1GiB", threads: 2, readOnly: false, now: livelyTime };
  const database = await Database.open(path, limits);
  onTestFinished(() => database.close());
  return { path, database };
}

async function fold(database: Database, times = 1) {
  const connection = await database.connect();
  await connection.run(readsOf(times));
  const counts = await database.write((tx) => foldAccesses(tx, livelyTime), connection);
  connection.close();
  return counts;
}

async function bytesOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** That the index holds what so many folds make of it, and no more. */
async function expectFolds(path: string, folds: number): Promise<void> {
  const index = await ObjectIndex.open(path, { threads: 2 });
  onTestFinished(() => index.close());
  expect(await index.checkSummaries()).toEqual([]);
  await using session = await index.session();
  const weight = `(hash(object_id, 3) % 1000) / 250.0`;
  const [found] = await session.rows({
    text: `SELECT count(*) AS objects, count(*) FILTER (reads = ${3 * folds}) AS read,
        count(*) FILTER (object_id < ${read}
          AND abs(heat_weight - ${weight} - ${folds} * (pow(2, -1 / 168.0) + 0.5 * pow(2, -25 / 168.0))) < 1e-9
          AND accessed >= make_timestamp(${livelyTime.getTime() * 1_000}) - to_hours(1)) AS warm,
        count(*) FILTER (object_id >= ${read} AND heat_weight = ${weight} AND reads = 0) AS others
      FROM objects`,
    parameters: [],
  });
  expect(found).toEqual({ objects, read, warm: read, others: objects - read });
  const days = await session.rows({
    text: `SELECT day::VARCHAR AS day, count(*) AS objects, sum(reads)::BIGINT AS reads
      FROM access_days GROUP BY day ORDER BY day`,
    parameters: [],
  });
  expect(days).toEqual([
    { day: "2026-05-30", objects: read, reads: folds * read },
    { day: "2026-05-31", objects: read, reads: 2 * folds * read },
  ]);
}

test("so many reads that they are counted by ranges of objects count as several folds do", async () => {
  const { path, database } = await openLively();
  expect(await fold(database, 15)).toEqual({ applied: 45 * read, unknown: 0 });
  expect(await bytesOf(`${path}.wal`)).toBe(0);
  expect(await fold(database)).toEqual({ applied: 3 * read, unknown: 0 });
  await database.close();
  await expectFolds(path, 16);
});

test("a fold of much of the index goes into its columns without the log", async () => {
  const { path, database } = await openLively();
  const counts = { applied: 3 * read, unknown: 0 };
  expect(await fold(database)).toEqual(counts);
  expect(await bytesOf(`${path}.wal`)).toBe(0);
  expect(await fold(database)).toEqual(counts);
  expect(await bytesOf(`${path}.wal`)).toBe(0);
  // What changes a few rows goes to the log as ever.
  await database.write(async (tx) => {
    await tx.run("UPDATE objects SET owner = 'another' WHERE object_id = 7");
  });
  expect(await bytesOf(`${path}.wal`)).toBeGreaterThan(0);
  await database.close();
  await expectFolds(path, 2);
}, 180_000);

test("who reads meanwhile reads on, and the fold goes to the log", async () => {
  const { path, database } = await openLively();
  await database.read(async (connection) => {
    const text = "SELECT sum(reads)::BIGINT AS reads FROM objects";
    expect(await connection.row(text)).toEqual({ reads: 0 });
    await fold(database);
    expect(await connection.row(text)).toEqual({ reads: 0 });
  });
  expect(await bytesOf(`${path}.wal`)).toBeGreaterThan(0);
  await database.close();
  await expectFolds(path, 1);
}, 180_000);

test("killed right after a fold, the index has all of it", async () => {
  const path = join(await temporaryFolder(), "index.duckdb");
  await copyFile(lively, path);
  const source = `
    import { Database } from "#index/database.ts";
    import { foldAccesses } from "#index/fold-accesses.ts";
    const now = new Date(${livelyTime.getTime()});
    const limits = { memoryLimit: "1GiB", threads: 2, readOnly: false, now };
    const database = await Database.open(${JSON.stringify(path)}, limits);
    const connection = await database.connect();
    await connection.run(${JSON.stringify(readsOf(1))});
    await database.write((transaction) => foldAccesses(transaction, now), connection);
    process.kill(process.pid, "SIGKILL");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGKILL");
  await expectFolds(path, 1);
}, 180_000);
