// Times the object index against the bare DuckDB work it cannot do without, in the same run.
// Prints ratios; smaller is better, 1.00 is the floor.
//   node bench/object-index.ts [objects = 1000000] [reads = 200000]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { blobValue, DuckDBInstance } from "@duckdb/node-api";
import { Connection } from "#index/connection.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { NewObject } from "#model/index-store.ts";
import type { CopyOutcome } from "#model/run.ts";
import { copyPlan, localFacts } from "./copy-plan.ts";
import { sampleCid, sampleObject, sampleTime } from "./sample-objects.ts";

const objects = Number(process.argv[2] ?? 1_000_000);
const reads = Number(process.argv[3] ?? 200_000);
const batchRows = 20_000;

const commitContext = {
  now: sampleTime,
  permitTtlMs: 3_600_000,
  minimumCopies: 1,
  heldByPolicy: async () => new Set<number>(),
};

const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
const index = await ObjectIndex.open(join(folder, "index.duckdb"), { threads: 2 });
const instance = await DuckDBInstance.create(join(folder, "bare.duckdb"), { threads: "2" });
const bare = await instance.connect();
try {
  await index.syncBackends([localFacts("hot"), localFacts("cold")]);
  await benchPut();
  await benchLookUp();
  await benchHeat();
  await benchStream();
  await benchCommit();
} finally {
  bare.closeSync();
  instance.closeSync();
  await index.close();
  await rm(folder, { recursive: true, force: true });
}

/** Objects with one copy each; bare: the same rows appended to two tables without a question. */
async function benchPut(): Promise<void> {
  await bare.run(
    `CREATE TABLE objects (object_id BIGINT, cid_key BIGINT, cid BLOB, size BIGINT,
       profile VARCHAR, path VARCHAR)`,
  );
  await bare.run("CREATE INDEX by_cid ON objects (cid_key)");
  await bare.run("CREATE TABLE copies (object_id BIGINT, locator VARCHAR, checked TIMESTAMP)");
  const raw = new Connection(bare);
  let took = 0;
  let floor = 0;
  for (let from = 0; from < objects; from += batchRows) {
    const batch = Array.from({ length: Math.min(batchRows, objects - from) }, (_, row) =>
      sampleObject(from + row),
    );
    took += await timed(() => index.putObjects(batch, sampleTime));
    floor += await timed(() => appendBare(raw, batch, from));
  }
  report(`put ${objects} objects with a copy`, took, floor, objects);
}

async function appendBare(raw: Connection, batch: readonly NewObject[], from: number) {
  await raw.stage(
    "part",
    {
      id: "BIGINT",
      key: "BIGINT",
      cid: "BLOB",
      size: "BIGINT",
      profile: "VARCHAR",
      path: "VARCHAR",
    },
    batch.map((object, row) => {
      const cid = CID.parse(object.cid).bytes;
      const key = new DataView(cid.buffer, cid.byteOffset + 4).getBigInt64(0);
      return [from + row, key, cid, object.size, object.profile, object.names[0]];
    }),
  );
  await raw.run("INSERT INTO objects FROM part");
  await raw.stage(
    "part",
    { id: "BIGINT", locator: "VARCHAR", checked: "TIMESTAMP" },
    batch.map((object, row) => [from + row, object.copies[0]?.copy.locator, sampleTime]),
  );
  await raw.run("INSERT INTO copies FROM part");
}

/** One object by CID; bare: a prepared statement on the same index. */
async function benchLookUp(): Promise<void> {
  const picks = Array.from({ length: 200 }, (_, pick) => (pick * 7_919) % objects);
  const took = await timed(async () => {
    for (const pick of picks) await index.findObject(sampleCid(pick).toString());
  });
  const floor = await timed(async () => {
    for (const pick of picks) {
      const { bytes } = sampleCid(pick);
      const key = new DataView(bytes.buffer, bytes.byteOffset + 4).getBigInt64(0);
      await bare.runAndReadAll("SELECT object_id FROM objects WHERE cid_key = $1 AND cid = $2", [
        key,
        blobValue(bytes),
      ]);
    }
  });
  report("look up 200 objects by CID", took, floor, picks.length);
}

/** Reads folded into heat; bare: staging them and the group-by alone. */
async function benchHeat(): Promise<void> {
  const accesses = Array.from({ length: reads }, (_, read) => ({
    object: sampleCid((read * read) % objects).toString(),
    at: new Date(sampleTime.getTime() - read * 1_000),
    weight: 1,
  }));
  const took = await timed(() => index.recordAccesses("bench", accesses));
  const raw = new Connection(bare);
  const floor = await timed(async () => {
    await raw.stage(
      "reads",
      { key: "BIGINT", at_: "TIMESTAMP", weight: "DOUBLE" },
      accesses.map(({ object, at, weight }) => {
        const { bytes } = CID.parse(object);
        const key = new DataView(bytes.buffer, bytes.byteOffset + 4).getBigInt64(0);
        return [key, at, weight];
      }),
    );
    await raw.run(
      `CREATE OR REPLACE TEMP TABLE sums AS
       SELECT o.object_id, sum(weight), max(at_) FROM reads JOIN objects AS o ON o.cid_key = key
       GROUP BY ALL`,
    );
  });
  report(`fold ${reads} reads into heat`, took, floor, reads);
}

/** Six columns to JavaScript; bare: the driver's own rows of the same query. */
async function benchStream(): Promise<void> {
  const text = "SELECT object_id, cid, size, path, heat_weight, present_mask FROM object";
  let rows = 0;
  await using session = await index.session();
  const took = await timed(async () => {
    for await (const batch of session.columns({ text, parameters: [] })) rows += batch.rows;
  });
  const floor = await timed(async () => {
    const bareText = "SELECT object_id, cid, size, path, 0.5::DOUBLE, 1::BIGINT FROM objects";
    const result = await bare.stream(bareText);
    for await (const part of result.yieldRows()) rows += part.length;
  });
  report(`stream ${rows / 2} rows of six columns`, took, floor, rows / 2);
}

/** Ten batches of copy results; bare: the same copies inserted, masks and outcomes updated. */
async function benchCommit(): Promise<void> {
  const count = Math.min(10_000, objects);
  const plan = await copyPlan(index, {
    cid: "bench-plan",
    actions: count,
    target: "1",
    folder,
    evaluatedAt: sampleTime.toISOString(),
  });
  const began = await timed(() => index.beginRun(plan, sampleTime));
  const [run] = await index.runs();
  const batches = await index.pendingBatches(run?.id ?? "", "cold", 1_000);
  let took = 0;
  for (const {
    runId,
    planCid,
    number,
    attempt,
    from,
    to,
    policy,
    verb,
    source,
    target,
    victim,
  } of batches) {
    const names = { runId, planCid, attempt, from, to, policy, verb, source, target, victim };
    const step = { ...names, batch: number, segmentCid: "" };
    const outcomes = Array.from({ length: to - from }, (_, row) => copied(from + row));
    took += await timed(() => index.commitCopies(step, outcomes, commitContext));
  }
  await bare.run("ALTER TABLE objects ADD COLUMN mask BIGINT");
  await bare.run("CREATE TABLE outcomes (sequence BIGINT, outcome VARCHAR)");
  let floor = 0;
  for (const { from, to } of batches) {
    const range = `range(${from}, ${to}) AS r(i)`;
    floor += await timed(async () => {
      await bare.run("BEGIN");
      await bare.run(`INSERT INTO copies SELECT i, 'at cold', now()::TIMESTAMP FROM ${range}`);
      await bare.run(`UPDATE objects SET mask = 3 FROM ${range} WHERE object_id = i`);
      await bare.run(`INSERT INTO outcomes SELECT i, 'done' FROM ${range}`);
      await bare.run("COMMIT");
    });
  }
  console.log(`begin a run of ${count} actions`.padEnd(44), `${began.toFixed(0)} ms`);
  report(`commit ${count} copies in ${batches.length} batches`, took, floor, count);
}

function copied(sequence: number): CopyOutcome {
  const cid = sampleCid(sequence).toString();
  const evidence = {
    backend: "cold",
    cid,
    finding: "present",
    confidence: "verified",
    method: "bench",
    checkedAt: sampleTime.toISOString(),
    bytesRead: 1,
  } as const;
  const copy = { locator: `cold/${cid}`, form: "file", bytes: 100 } as const;
  return { sequence, outcome: "done", copy, evidence, moved: true };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function report(what: string, took: number, floor: number, rows: number): void {
  const rate = Math.round((rows / took) * 1_000).toLocaleString("en");
  const ratio = (took / floor).toFixed(2);
  console.log(
    what.padEnd(44),
    `${took.toFixed(0)} ms, ${rate}/s; bare ${floor.toFixed(0)} ms; ratio ${ratio}`,
  );
}
