import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CreateMultipartUploadCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type InventoryContext, takeInventory } from "#engine/imports/take-inventory.ts";
import type { Driver } from "#model/driver.ts";
import type { InventoryReport } from "#model/inventory.ts";
import { fileBody, type Sample, sample } from "../conformance/sample-object.ts";
import { newBucket, openBucket, referee } from "../drivers/s3-bucket.ts";
import { openIndex } from "../index/open-index.ts";
import { driverWith } from "../jobs/driver-with.ts";
import { inventoryCreatedAt as createdAt, writeInventory } from "./write-s3-inventory.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";

const why = versitygwMissing();
let server: VersitygwServer;
const written = new Date("2026-01-01T00:00:00Z");

describe.skipIf(why !== undefined)(`S3 Inventory${why ? ` (skipped: ${why})` : ""}`, () => {
  beforeAll(async () => {
    server = await startVersitygw();
  });
  afterAll(async () => {
    await server.stop();
  });

  test.each(["CSV", "Parquet"] as const)(
    "%s: what it misses the bucket itself is asked for",
    async (format) => {
      const bucket = await newBucket(server);
      const driver = await openBucket(server, bucket, { prefix: "a b" });
      const [first, second, gone, late] = [10, 20, 30, 40].map((bytes) => sample(bytes)) as [
        Sample,
        Sample,
        Sample,
        Sample,
      ];
      for (const one of [first, second, late]) await driver.write(one.object, fileBody(one));
      const { index, folder } = await openIndex(["far"]);
      await index.putObjects(
        [first, gone, late].map((one) => known(one)),
        written,
      );
      const keys = [
        { key: `a b/${first.object.cid}`, size: 10 },
        { key: `a b/${second.object.cid}`, size: 20 },
        { key: `a b/${gone.object.cid}`, size: 30, is_delete_marker: "true" },
        { key: "a b/readme.txt", size: 5 },
      ];
      const manifest = await writeInventory(bucket, format, keys);
      const take = () => inventory(index, driver, folder, manifest);
      const figures = { listed: 3, confirmed: 2, lost: 1, unexpected: 1, changed: 0, foreign: 1 };
      // `late` was written after the inventory was made: the bucket has it.
      expect(await take()).toMatchObject({ ...figures, begunAt: createdAt.toISOString() });
      expect(await take()).toMatchObject({ confirmed: 2, lost: 0, unexpected: 0 });
      expect(await index.checkSummaries()).toEqual([]);
      await driver.close();
    },
  );

  test.each(["CSV", "Parquet"] as const)(
    "%s: locks that it tells of are known, and those that hold are looked at in the bucket",
    async (format) => {
      const bucket = await newBucket(server);
      const driver = await openBucket(server, bucket);
      const { index, folder } = await openIndex(["far"]);
      const [held, retained, expired, free] = [10, 20, 30, 40].map((bytes) => sample(bytes)) as [
        Sample,
        Sample,
        Sample,
        Sample,
      ];
      for (const one of [held, retained, expired, free]) {
        await driver.write(one.object, fileBody(one));
      }
      const manifest = await writeInventory(bucket, format, [
        { key: held.object.cid, size: 10, lock: ["", "", "ON"] },
        {
          key: retained.object.cid,
          size: 20,
          lock: ["2026-02-01T00:00:00.000Z", "GOVERNANCE", "OFF"],
        },
        {
          key: expired.object.cid,
          size: 30,
          lock: ["2025-12-31T12:00:00.000Z", "COMPLIANCE", "OFF"],
        },
        { key: free.object.cid, size: 40 },
      ]);
      const locks = async () => {
        const text = `SELECT o.size, k.legal_hold AS held, k.until, k.mode
          FROM lock AS k JOIN object AS o USING (object_id) ORDER BY o.size`;
        await using session = await index.session();
        return await session.rows({ text, parameters: [] });
      };
      const silent = driverWith(driver, { lockOf: () => Promise.resolve(undefined) });
      await inventory(index, silent, folder, manifest);
      expect(await locks()).toEqual([
        { size: 10, held: true, until: null, mode: null },
        { size: 20, held: false, until: new Date("2026-02-01"), mode: "GOVERNANCE" },
        { size: 30, held: false, until: new Date("2025-12-31T12:00:00Z"), mode: "COMPLIANCE" },
      ]);
      // This bucket locks nothing: what still holds is asked about, and gone.
      await inventory(index, driver, folder, manifest);
      expect((await locks()).map(({ size }) => size)).toEqual([30]);
      await driver.close();
    },
  );

  test("an inventory of before a copy was checked or made anew brings no lock back", async () => {
    const bucket = await newBucket(server);
    const driver = await openBucket(server, bucket);
    const { index, folder } = await openIndex(["far"]);
    const [lifted, anew] = [sample(10), sample(20)] as [Sample, Sample];
    for (const one of [lifted, anew]) await driver.write(one.object, fileBody(one));
    const manifest = await writeInventory(bucket, "CSV", [
      { key: lifted.object.cid, size: 10, lock: ["", "", "ON"] },
      { key: anew.object.cid, size: 20, lock: ["2036-02-01T00:00:00.000Z", "COMPLIANCE", "OFF"] },
    ]);
    const locked = async () => {
      await using session = await index.session();
      const text = `SELECT o.size FROM lock JOIN object AS o USING (object_id) ORDER BY o.size`;
      return (await session.rows({ text, parameters: [] })).map(({ size }) => size);
    };
    const silent = driverWith(driver, { lockOf: () => Promise.resolve(undefined) });
    await inventory(index, silent, folder, manifest);
    expect(await locked()).toEqual([10, 20]);
    // Since then one was seen lifted, and the other was lost and written again.
    await index.recordEvidence([{ ...evidence(lifted, 1), lock: null }], createdAt);
    await index.recordEvidence([evidence(anew, 1, "absent")], createdAt);
    await index.recordEvidence([evidence(anew, 2)], createdAt);
    expect(await locked()).toEqual([]);
    await inventory(index, silent, folder, manifest);
    expect(await locked()).toEqual([]);
    await driver.close();
  });

  test("the newest in a bucket is fetched file by file; what is not as its manifest says changes nothing", async () => {
    const bucket = await newBucket(server);
    const reports = await newBucket(server);
    const driver = await openBucket(server, bucket);
    const { index, folder } = await openIndex(["far"]);
    const [first, second] = [sample(10), sample(20)] as [Sample, Sample];
    for (const one of [first, second]) await driver.write(one.object, fileBody(one));
    const older = await writeInventory(bucket, "CSV", [{ key: first.object.cid, size: 10 }]);
    const newest = await writeInventory(bucket, "Parquet", [
      { key: first.object.cid, size: 10 },
      { key: second.object.cid, size: 20 },
    ]);
    const daily = `s3://${reports}/far/daily`;
    await upload(reports, older, "2026-01-01T00-00Z");
    const data = await upload(reports, newest, "2026-01-02T00-00Z");
    const version = await index.version();
    const take = () => inventory(index, driver, folder, daily);
    await place(reports, data.key, data.bytes.subarray(1));
    await expect(take()).rejects.toMatchObject({ code: "CORRUPT" });
    await place(reports, data.key, data.bytes.fill(0, 12, 14));
    await expect(take()).rejects.toMatchObject({ code: "CORRUPT" });
    expect(await index.version()).toBe(version);
    // A file that was fetched before the process died is not fetched again.
    const fetched = join(folder, "imports/s3-inventory-far");
    await writeFile(join(fetched, data.localName), data.whole);
    expect(await take()).toMatchObject({ listed: 2, unexpected: 2 });
    expect(await readdir(fetched)).toEqual([]);
    await place(reports, data.key, data.whole);
    expect(await take()).toMatchObject({ listed: 2, confirmed: 2 });
    // Named by its manifest, the older one can be had too.
    const manifest = `${daily}/2026-01-01T00-00Z/manifest.json`;
    expect(await inventory(index, driver, folder, manifest)).toMatchObject({ listed: 1 });
    await place(reports, "far/daily/2026-01-02T00-00Z/manifest.checksum", Buffer.from("0"));
    await expect(take()).rejects.toMatchObject({ code: "CORRUPT" });
    const elsewhere = inventory(index, driver, folder, `s3://${reports}/near`);
    await expect(elsewhere).rejects.toMatchObject({ code: "NOT_FOUND" });
    await driver.close();
  });

  test("of a listing gives up uploads that nobody goes on with, and says so", async () => {
    const bucket = await newBucket(server);
    const driver = await openBucket(server, bucket, { abandonAfter: "0s" });
    const judge = referee(server);
    const { cid } = sample(10).object;
    await judge.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: cid }));
    judge.destroy();
    const { index, folder } = await openIndex(["far"]);
    const listing = async (dryRun: boolean) => {
      const context = contextOf(index, driver, folder);
      const steps = takeInventory(context, { backend: "far", dryRun, restart: true });
      return (await Array.fromAsync(steps)).at(-1)?.unfinished;
    };
    const abandoned = { found: 1, abandoned: 1, abandonedBytes: 0 };
    expect(await listing(true)).toEqual(abandoned);
    expect(await listing(false)).toEqual(abandoned);
    expect(await listing(false)).toEqual({ ...abandoned, found: 0, abandoned: 0 });
    await driver.close();
  });

  test("of another bucket, cut off or altered it is refused, and nothing is changed", async () => {
    const bucket = await newBucket(server);
    const driver = await openBucket(server, bucket);
    const { index, folder } = await openIndex(["far"]);
    const version = await index.version();
    const other = await writeInventory("other", "CSV", []);
    await expect(inventory(index, driver, folder, other)).rejects.toMatchObject({ code: "USAGE" });
    const altered = await writeInventory(bucket, "CSV", [{ key: "x", size: 1 }]);
    const data = join(altered, "../../data/0.csv.gz");
    const bytes = await readFile(data);
    await writeFile(data, bytes.fill(0, 12, 14));
    await expect(inventory(index, driver, folder, altered)).rejects.toMatchObject({
      code: "CORRUPT",
    });
    await writeFile(data, bytes.subarray(1));
    await expect(inventory(index, driver, folder, altered)).rejects.toMatchObject({
      code: "CORRUPT",
    });
    expect(await index.version()).toBe(version);
    await driver.close();
  });
});

interface Manifest {
  readonly files: readonly [{ readonly key: string; readonly MD5checksum: string }];
}

/** Puts an inventory where S3 would write it; gives its only file. */
async function upload(bucket: string, path: string, time: string) {
  const text = await readFile(path);
  const { files } = JSON.parse(text.toString("utf8")) as Manifest;
  const [file] = files;
  const { key } = file;
  const bytes = await readFile(join(path, "../../data", basename(key)));
  const md5 = createHash("md5").update(text).digest("hex");
  await place(bucket, key, bytes);
  await place(bucket, `far/daily/${time}/manifest.json`, text);
  await place(bucket, `far/daily/${time}/manifest.checksum`, Buffer.from(`${md5}\n`));
  const { MD5checksum } = file;
  return { key, bytes, whole: Buffer.from(bytes), localName: `${MD5checksum}-${basename(key)}` };
}

async function place(bucket: string, key: string, bytes: Uint8Array): Promise<void> {
  const judge = referee(server);
  await judge.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
  judge.destroy();
}

function known({ object }: Sample) {
  const copy = { locator: "x", form: "file", bytes: object.size } as const;
  const facts = { names: [], tags: [], type: undefined, collection: undefined, owner: undefined };
  const times = { created: undefined, modified: undefined };
  const state = { state: "present", confidence: "verified", checkedAt: written } as const;
  return { ...object, ...facts, ...times, copies: [{ backend: "far", copy, ...state }] };
}

async function inventory(
  index: Awaited<ReturnType<typeof openIndex>>["index"],
  driver: Driver,
  dataDirectory: string,
  s3Inventory: string,
): Promise<InventoryReport | undefined> {
  const context = contextOf(index, driver, dataDirectory);
  const steps = await Array.fromAsync(takeInventory(context, { backend: "far", s3Inventory }));
  return steps.at(-1)?.report;
}

function contextOf(
  index: Awaited<ReturnType<typeof openIndex>>["index"],
  driver: Driver,
  dataDirectory: string,
): InventoryContext {
  return {
    index,
    pool: { driver: () => Promise.resolve(driver) },
    config: { dataDirectory },
    now: () => new Date("2026-01-03T00:00:00Z"),
  };
}

/** Of a look so many hours after the inventory was made. */
function evidence(one: Sample, hour: number, finding: "present" | "absent" = "present") {
  return {
    backend: "far",
    cid: one.object.cid,
    finding,
    confidence: "listed" as const,
    method: "HEAD",
    checkedAt: new Date(createdAt.getTime() + hour * 3_600_000).toISOString(),
    bytesRead: 0,
  };
}
