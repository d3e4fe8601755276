import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  PutBucketPolicyCommand,
  PutObjectLegalHoldCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { takeInventory } from "#engine/imports/take-inventory.ts";
import type { StorageLock } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isHeldByStorage, lockOfError } from "#model/held-by-storage.ts";
import { fileBody, permit, sample } from "../conformance/sample-object.ts";
import { copyOn, openIndex, start } from "../index/open-index.ts";
import { cephMissing, type CephServer, startCeph } from "../services/ceph-rgw.ts";
import { openBucket, referee } from "./s3-bucket.ts";

const missing = cephMissing();
let server: CephServer;
let judge: S3Client;

const seesLocks = ["s3:GetObjectRetention", "s3:GetObjectLegalHold"];
const seesConfiguration = "s3:GetBucketObjectLockConfiguration";

// Ceph RGW leaves out of a HEAD what the credentials may not see, as AWS does.
describe.skipIf(missing !== undefined)("locks that a bucket does not show to everybody", () => {
  const opened: Driver[] = [];
  beforeAll(async () => {
    server = await startCeph();
    judge = referee(server);
  }, 120_000);
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });
  afterAll(async () => {
    judge.destroy();
    await server.stop();
  });

  async function open(
    bucket: string,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<Driver> {
    const driver = await openBucket(server, bucket, { checksums: false, ...options });
    opened.push(driver);
    return driver;
  }

  async function heldCopy() {
    const bucket = `hidden-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
    const stored = sample(100);
    await (await open(bucket)).write(stored.object, fileBody(stored));
    const hold = async (Status: "ON" | "OFF"): Promise<void> => {
      const place = { Bucket: bucket, Key: stored.object.cid };
      await judge.send(new PutObjectLegalHoldCommand({ ...place, LegalHold: { Status } }));
    };
    await hold("ON");
    return { bucket, object: stored.object, hold };
  }

  it.each([
    { hidden: seesLocks },
    { hidden: [...seesLocks, seesConfiguration] },
    { hidden: ["s3:GetObjectLegalHold"] },
    { hidden: ["s3:GetObjectLegalHold", "s3:ListBucketVersions"] },
  ])("without $hidden nothing is said, not even that there is none", async ({ hidden }) => {
    const { bucket, object } = await heldCopy();
    await deny(bucket, ...hidden);
    const driver = await open(bucket);
    for (let look = 0; look < 2; look += 1) {
      expect(await driver.lockOf?.(object)).toBeUndefined();
      const found = await driver.verify(object, "listed");
      expect(found).toMatchObject({ finding: "present" });
      expect(found).not.toHaveProperty("lock");
    }
  });

  it("a check sees a hold lifted, even where the bucket's configuration is not shown", async () => {
    const { bucket, object, hold } = await heldCopy();
    await deny(bucket, seesConfiguration);
    const driver = await open(bucket);
    const verify = () => driver.verify(object, "listed");
    expect(await verify()).toMatchObject({ lock: { legalHold: true } });
    expect(await driver.lockOf?.(object)).toEqual({ legalHold: true });
    await hold("OFF");
    expect(await verify()).toMatchObject({ lock: null });
    expect(await driver.lockOf?.(object)).toBeNull();
  });

  it("in a bucket without Object Lock there is none, whoever may ask", async () => {
    const bucket = `plain-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket: bucket }));
    await deny(bucket, seesConfiguration);
    const driver = await open(bucket);
    const stored = sample(100);
    await driver.write(stored.object, fileBody(stored));
    expect(await driver.lockOf?.(stored.object)).toBeNull();
    expect(await driver.verify(stored.object, "listed")).not.toHaveProperty("lock");
  });

  it("what an inventory told of stays where the bucket shows nothing, until it does", async () => {
    const { bucket, object, hold } = await heldCopy();
    const until = new Date(Date.now() + 3_600_000);
    const Retention = { Mode: "GOVERNANCE", RetainUntilDate: until } as const;
    const place = { Bucket: bucket, Key: object.cid };
    await judge.send(new PutObjectRetentionCommand({ ...place, Retention }));
    await deny(bucket, ...seesLocks);
    const { index, folder } = await openIndex(["far"]);
    const take = async () => {
      // Rights are remembered for a minute: each inventory is taken by a process of its own.
      const driver = await open(bucket);
      const pool = { driver: () => Promise.resolve(driver) };
      const context = { index, pool, config: { dataDirectory: folder }, now: systemTime };
      return (await Array.fromAsync(takeInventory(context, { backend: "far" }))).at(-1)?.locks;
    };
    const lock: StorageLock = { legalHold: true, until: until.toISOString(), mode: "GOVERNANCE" };
    const known = { names: [], tags: [], type: undefined, collection: undefined, owner: undefined };
    const times = { created: undefined, modified: undefined };
    const copies = [copyOn("far")];
    await index.putObjects([{ ...object, ...known, ...times, copies }], start);
    const checkedAt = new Date(start.getTime() + 1).toISOString();
    const seen = {
      finding: "present",
      confidence: "listed",
      method: "told",
      bytesRead: 0,
    } as const;
    await index.recordEvidence(
      [{ backend: "far", cid: object.cid, checkedAt, ...seen, lock }],
      start,
    );
    const locks = async () => {
      await using session = await index.session();
      const text = "SELECT legal_hold AS held, mode FROM lock";
      return await session.rows({ text, parameters: [] });
    };
    expect(await take()).toEqual({ asked: 1, locked: 0 });
    expect(await locks()).toEqual([{ held: true, mode: "GOVERNANCE" }]);
    await judge.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    await hold("OFF");
    expect(await take()).toEqual({ asked: 1, locked: 1 });
    expect(await locks()).toEqual([{ held: false, mode: "GOVERNANCE" }]);
  });

  it("a removal that is refused because of a lock is one for a day, though none is shown", async () => {
    const { bucket, object } = await heldCopy();
    await deny(bucket, ...seesLocks);
    const driver = await open(bucket);
    const refused = await driver
      .remove(object, permit(object, "archive"))
      .catch((thrown: unknown) => EngineError.from(thrown));
    if (!(refused instanceof EngineError)) throw new Error(refused);
    const lock = lockOfError(refused);
    expect(lock).toMatchObject({ legalHold: false });
    expect(lock).not.toHaveProperty("mode");
    const hours = (Date.parse(lock?.until ?? "") - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23);
    expect(hours).toBeLessThan(25);
    expect(await driver.verify(object, "listed")).toMatchObject({ finding: "present" });
  });

  it("a removal that is simply not allowed is no lock, whatever the file is called", async () => {
    const bucket = `worm-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket: bucket }));
    const driver = await open(bucket, { layout: "file" });
    const stored = sample(100);
    const object = { ...stored.object, name: "legal hold/object lock.worm.csv" };
    await driver.write(object, fileBody(stored));
    await deny(bucket, "s3:DeleteObject");
    const refused: unknown = await driver
      .remove(object, permit(object, "archive"))
      .catch((thrown: unknown) => thrown);
    expect(refused).toMatchObject({ code: "FORBIDDEN" });
    expect(isHeldByStorage(EngineError.from(refused))).toBe(false);
  });
});

/** From everybody, who owns the bucket too. */
async function deny(bucket: string, ...actions: readonly string[]): Promise<void> {
  const resources = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const rule = { Effect: "Deny", Principal: "*", Action: actions, Resource: resources };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [rule] });
  await judge.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
}

function systemTime(): Date {
  return new Date();
}
