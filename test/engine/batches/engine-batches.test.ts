import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CarReader } from "@ipld/car";
import { DuckDBInstance } from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import { exporter } from "ipfs-unixfs-exporter";
import { CID } from "multiformats/cid";
import { expect, test } from "vitest";
import { coolPolicy } from "../cool-policy.ts";
import { runEngine } from "../running-engine.ts";

/** Nothing is executed here, so nobody connects to it. */
const queueUrl = "redis://127.0.0.1:1";

async function rowsOf(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The file that the blocks of a CAR make, put together by others' code. */
async function contentOf(root: CID, reader: CarReader): Promise<Buffer> {
  const entry = await exporter(root, {
    get: async function* (cid) {
      const block = await reader.get(cid);
      if (block === undefined) throw new Error(`no block ${cid.toString()}`);
      yield block.bytes;
    },
  });
  if (entry.type !== "file") throw new Error(entry.type);
  return Buffer.concat(await Array.fromAsync(entry.content()));
}

test("the rows of a plan are published as they are in its file, and followed by its CID", async () => {
  await using running = await runEngine({ queueUrl, policy: coolPolicy });
  await running.importFiles(40);
  const { engine, folder } = running;
  const feed = engine.followBatches()[Symbol.asyncIterator]();
  const told = feed.next();
  const saved = join(folder, "cool");
  const { plan } = await engine.plan({ out: saved });
  expect(plan.header.totals.actions).toBe(40);
  const batch = await engine.publishBatch({ plan: saved, tags: { for: "test" } });
  expect(batch).toMatchObject({ rows: 40, tags: { for: "test", plan: plan.cid } });
  expect((await told).value).toMatchObject({ batch });
  expect(await engine.batches({ tags: { plan: plan.cid }, limit: 5 })).toEqual([batch]);
  expect(await engine.batches({ tags: { plan: "other" }, limit: 5 })).toEqual([]);
  const parquet = join(folder, "again.parquet");
  expect(await engine.exportBatch({ batch: "newest", file: parquet })).toMatchObject({ rows: 40 });
  const columns = "* REPLACE (sequence::BIGINT AS sequence)";
  expect(
    await rowsOf(`SELECT ${columns} FROM read_parquet('${parquet}') ORDER BY sequence`),
  ).toEqual(
    await rowsOf(`SELECT ${columns} FROM read_parquet('${saved}.plan.parquet') ORDER BY sequence`),
  );
  const bytes = Buffer.concat(await Array.fromAsync(engine.batch(batch.cid)));
  expect(tableFromIPC(bytes).getChild("rule")?.get(0)).toBe("cool/down");
  // A reader that waits ends with the engine.
  const waiting = feed.next();
  await engine.close();
  expect(await waiting).toMatchObject({ done: true });
});

test("a query is a batch, a stream, a file, and a CAR with the CID of the batch as its root", async () => {
  await using running = await runEngine({ queueUrl, policy: coolPolicy });
  const { engine, folder } = running;
  const query = "SELECT range AS n, sha256(range::VARCHAR) AS text FROM range(60000) ORDER BY n";
  const batch = await engine.publishBatch({ query });
  expect(batch.bytes).toBeGreaterThan(4 * 1024 ** 2);
  const stream = Buffer.concat(await Array.fromAsync(engine.queryArrow(query)));
  const file = join(folder, "deep", "rows.arrow");
  expect(await engine.exportQuery({ text: `${query}; -- all`, file })).toMatchObject({
    rows: 60_000,
    bytes: batch.bytes,
  });
  const arrow = await readFile(file);
  expect(arrow.subarray(8, 8 + stream.length).equals(stream)).toBe(true);
  const car = join(folder, "rows.car");
  await engine.exportBatch({ batch: batch.cid, file: car });
  const reader = await CarReader.fromBytes(await readFile(car));
  const root = CID.parse(batch.cid);
  expect(await reader.getRoots()).toEqual([root]);
  expect((await contentOf(root, reader)).equals(arrow)).toBe(true);
  const csv = join(folder, "rows.csv");
  await engine.exportQuery({ text: "SELECT 1 AS a -- no order", file: csv });
  expect(await readFile(csv, "utf8")).toBe("a\n1\n");
  expect(await engine.checkBatches()).toEqual([
    { cid: batch.cid, state: "intact", bytes: batch.bytes },
  ]);
  for (const wrong of [{}, { query, plan: "bafy" }]) {
    await expect(engine.publishBatch(wrong)).rejects.toMatchObject({ code: "USAGE" });
  }
  for (const text of ["SELECT 1; SELECT 2", "COPY object TO 'x'", "FROM 'x.parquet'"]) {
    await expect(engine.exportQuery({ text, file: csv })).rejects.toMatchObject({
      code: expect.stringMatching(/USAGE|REFUSED/) as string,
    });
  }
  await expect(
    engine.exportBatch({ batch: batch.cid, file: join(folder, "rows.xlsx") }),
  ).rejects.toMatchObject({ code: "USAGE" });
});
