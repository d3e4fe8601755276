import { randomUUID } from "node:crypto";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import s3 from "#drivers/s3/s3.ts";
import { copyWithin } from "#jobs/copy-within.ts";
import type { Driver } from "#model/driver.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import { fileBody, permit, sample } from "../conformance/sample-object.ts";
import { askCeph, cephMissing, type CephServer, startCeph } from "../services/ceph-rgw.ts";
import { openBucket } from "./s3-bucket.ts";
import { expectLocksRespected, expectNothingLeft } from "./s3-lock-test.ts";

const partBytes = 5 * 1024 * 1024;

const missing = cephMissing();
let server: CephServer;
let judge: S3Client;

beforeAll(async () => {
  if (missing !== undefined) return;
  server = await startCeph();
  const { region, endpoint, accessKeyId, secretAccessKey } = server;
  const credentials = { accessKeyId, secretAccessKey };
  judge = new S3Client({
    region,
    endpoint,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
}, 120_000);

afterAll(async () => {
  if (missing !== undefined) return;
  judge.destroy();
  await server.stop();
});

testDriver({
  name: "s3 on Ceph RGW",
  definition: s3,
  server: askCeph,
  missing,
  skip: [],
  // Two whole parts and a little: parts have 5 MiB at least.
  largeBytes: 2 * 5 * 1024 * 1024 + 3,
  groupObjects: 32,
  storage,
});

describe.skipIf(missing !== undefined)("s3 on Ceph RGW, beside the kit", () => {
  const opened: Driver[] = [];
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function bucketAndDriver(): Promise<{ bucket: string; driver: Driver }> {
    const bucket = `beside-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket: bucket }));
    const driver = await openBucket(server, bucket, { checksums: false });
    opened.push(driver);
    return { bucket, driver };
  }

  it("removes nothing that object lock or a legal hold protects, and says why", async () => {
    expect.hasAssertions();
    const locked = `locked-${randomUUID()}`;
    await expectLocksRespected(judge, locked, async () => {
      const driver = await openBucket(server, locked, { checksums: false });
      opened.push(driver);
      return driver;
    });
  });

  it("leaves no version behind where a bucket keeps them since later, or no more", async () => {
    expect.hasAssertions();
    const late = `late-${randomUUID()}`;
    await expectNothingLeft(judge, late, async () => {
      const driver = await openBucket(server, late, { checksums: false });
      opened.push(driver);
      return driver;
    });
  });

  it("goes on with an upload without SHA-256 by size and MD5", async () => {
    const { bucket, driver } = await bucketAndDriver();
    const stored = sample(2 * partBytes + 1);
    const place = { Bucket: bucket, Key: stored.object.cid };
    const { UploadId } = await judge.send(new CreateMultipartUploadCommand(place));
    const Body = stored.bytes.subarray(0, partBytes);
    const part = { ...place, UploadId, PartNumber: 1, Body };
    await judge.send(new UploadPartCommand(part));
    await driver.write(stored.object, fileBody(stored));
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    const left = await judge.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(left.Uploads ?? []).toEqual([]);
  });

  it("has no name for its own that somebody else took while parts were sent", async () => {
    const bucket = `names-${randomUUID()}`;
    await judge.send(new CreateBucketCommand({ Bucket: bucket }));
    const driver = await openBucket(server, bucket, { checksums: false, layout: "file" });
    opened.push(driver);
    const stored = sample(2 * partBytes + 1);
    const object = { ...stored.object, name: "Größe 👵.bin" };
    const place = { Bucket: bucket, Key: object.name };
    const stream = (async function* () {
      yield stored.bytes.subarray(0, partBytes + 5);
      await judge.send(new PutObjectCommand({ ...place, Body: "theirs" }));
      yield stored.bytes.subarray(partBytes + 5);
    })();
    const writing = driver.write(object, { ...fileBody(stored), stream });
    await expect(writing).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    const copy = await driver.write(object, fileBody(stored));
    expect(copy.locator).toContain("Größe 👵~");
    const theirs = await judge.send(new GetObjectCommand(place));
    expect(await theirs.Body?.transformToString()).toBe("theirs");
    expect(await driver.remove(object, permit(object, "archive"))).toBe("removed");
    expect(await Array.fromAsync(driver.list())).toEqual([]);
  });

  it("copies within the service, and proves the copy", async () => {
    const [from, to] = [await bucketAndDriver(), await bucketAndDriver()];
    const stored = sample(2 * partBytes + 1);
    const copy = await from.driver.write(stored.object, fileBody(stored));
    const source = { backend: "archive", driver: from.driver, copy };
    const within = await copyWithin(
      stored.object,
      source,
      { backend: "archive", driver: to.driver },
      {},
    );
    expect(within?.evidence).toMatchObject({ finding: "present", confidence: "verified" });
  });
});

async function storage(): Promise<SubjectStorage> {
  const bucket = `kit-${randomUUID()}`;
  await judge.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    open: (options) => {
      const changed = { prefix: "store", checksums: false };
      return openBucket(server, bucket, changed, server.secretAccessKey, {
        backend: kitBackend,
        capacityBytes: options?.capacityBytes,
      });
    },
    corrupt: async ({ locator, bytes }) => {
      const place = { Bucket: bucket, Key: locator.slice(`s3://${bucket}/`.length) };
      const { Body, Metadata } = await judge.send(new GetObjectCommand(place));
      const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
      const position = Math.floor(bytes / 2);
      stored[position] = (stored[position] ?? 0) ^ 1;
      await judge.send(new PutObjectCommand({ ...place, Metadata, Body: stored }));
    },
    leftovers: async () => {
      const answer = await judge.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return (answer.Uploads ?? []).map((upload) => upload.Key ?? "");
    },
    remove: () => Promise.resolve(),
  };
}
