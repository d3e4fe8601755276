import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Driver } from "#model/driver.ts";
import { addressFile } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";
import { fileBody, permit, pieces, sample } from "../conformance/sample-object.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { newBucket, openBucket, referee } from "./s3-bucket.ts";

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: s3 against a server: ${missing}`);

describe.skipIf(missing !== undefined)(`s3 against versitygw v1.7.0`, () => {
  let server: VersitygwServer;
  let judge: S3Client;
  let bucket = "";
  const opened: Driver[] = [];

  beforeAll(async () => {
    server = await startVersitygw();
    judge = referee(server);
  });
  afterAll(async () => {
    judge.destroy();
    await server.stop();
  });
  beforeEach(async () => {
    bucket = await newBucket(server);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(
    options: Readonly<Record<string, unknown>> = {},
    secret?: string,
  ): Promise<Driver> {
    const driver = await openBucket(server, bucket, options, secret);
    opened.push(driver);
    return driver;
  }

  async function setVersioning(Status: "Enabled" | "Suspended"): Promise<void> {
    const settings = { Bucket: bucket, VersioningConfiguration: { Status } };
    await judge.send(new PutBucketVersioningCommand(settings));
  }

  it("names the server that answered", async () => {
    expect((await (await open()).status()).server).toMatch(/versitygw/i);
  });

  it("calls wrong credentials UNAUTHENTICATED in every operation, and never shows them", async () => {
    const { object } = sample(10);
    const stored = sample(10);
    for (const driver of [
      await open({}, "not-the-secret"),
      await open({ accessKeyId: "nobody" }),
    ]) {
      for (const attempt of [
        () => driver.status(),
        () => driver.stat(object),
        () => driver.verify(object, "verified"),
        () => driver.write(object, fileBody(stored)),
        () => Array.fromAsync(driver.list()),
      ]) {
        const error: unknown = await attempt().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "UNAUTHENTICATED", retryable: false });
        expect(String(error)).not.toContain("not-the-secret");
      }
    }
  });

  it("calls a missing bucket an error, never an absent copy", async () => {
    const driver = await open({ bucket: "no-such-bucket" });
    const { object } = sample(10);
    const lost = { code: "UNAVAILABLE", message: expect.stringContaining("bucket") as string };
    await expect(driver.status()).rejects.toMatchObject(lost);
    await expect(driver.stat(object)).rejects.toMatchObject(lost);
    await expect(driver.verify(object, "listed")).rejects.toMatchObject(lost);
    await expect(driver.verify(object, "verified")).rejects.toMatchObject(lost);
  });

  it("calls an unreachable endpoint UNAVAILABLE and worth a retry", async () => {
    const driver = await open({ endpoint: "http://127.0.0.1:1" });
    const failure = { code: "UNAVAILABLE", retryable: true };
    await expect(driver.stat(sample(1).object)).rejects.toMatchObject(failure);
  });

  it("keeps one object when many writers create it at the same time", async () => {
    const stored = sample(11 * 1024 * 1024);
    const writers = await Promise.all([open(), open(), open()]);
    const copies = await Promise.all(
      writers.map((driver) => driver.write(stored.object, fileBody(stored))),
    );
    expect(new Set(copies.map((copy) => copy.locator)).size).toBe(1);
    const [driver] = writers;
    expect(await driver?.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    expect(await uploads()).toEqual([]);
  });

  it("does not replace what another writer has stored in the meantime", async () => {
    const [driver, other] = [await open(), await open()];
    let firstStoredAt: Date | undefined;
    const stored = sample(11 * 1024 * 1024);
    const stream = (async function* () {
      yield* pieces(stored.bytes.subarray(0, 6 * 1024 * 1024));
      await other.write(stored.object, fileBody(stored));
      const first = new HeadObjectCommand({ Bucket: bucket, Key: stored.object.cid });
      firstStoredAt = (await judge.send(first)).LastModified;
      // Times have a resolution of one second: a replacement would show.
      await sleep(1_100);
      yield* pieces(stored.bytes.subarray(6 * 1024 * 1024));
    })();
    const body = { form: "file", bytes: stored.bytes.length, stream } as const;
    const copy = await driver.write(stored.object, body);
    expect(copy).toEqual(await other.stat(stored.object));
    const head = await judge.send(
      new HeadObjectCommand({ Bucket: bucket, Key: stored.object.cid }),
    );
    expect(head.LastModified).toEqual(firstStoredAt);
    expect(await uploads()).toEqual([]);
  });

  it("leaves no part of an upload that fails or is cancelled", async () => {
    const driver = await open();
    const stored = sample(16 * 1024 * 1024);
    // The referee can see unfinished uploads: it is not blind.
    await judge.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: "control" }));
    expect(await uploads()).toEqual(["control"]);
    const failing = (async function* () {
      yield* pieces(stored.bytes.subarray(0, 12 * 1024 * 1024));
      throw new Error("the source broke");
    })();
    const bytes = stored.bytes.length;
    const broken = driver.write(stored.object, { form: "file", bytes, stream: failing });
    await expect(broken).rejects.toThrow(/the source broke/);
    const abort = new AbortController();
    const cancelling = (async function* () {
      yield* pieces(stored.bytes.subarray(0, 12 * 1024 * 1024));
      abort.abort();
      yield stored.bytes.subarray(12 * 1024 * 1024);
    })();
    const body = { form: "file", bytes, stream: cancelling } as const;
    const cancelled = driver.write(stored.object, body, { signal: abort.signal });
    await expect(cancelled).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await uploads()).toEqual(["control"]);
    expect(await driver.stat(stored.object)).toBeUndefined();
  });

  it("streams 100 MiB in bounded memory", async () => {
    const driver = await open();
    const [megabytes, piece] = [100, sample(1024 * 1024).bytes];
    const source = async function* () {
      for (let count = 0; count < megabytes; count++) yield piece;
    };
    const object = { ...(await addressFile(source(), defaultProfile)), profile: defaultProfile };
    let peak = 0;
    const before = process.memoryUsage().rss;
    const watched = (async function* () {
      for await (const bytes of source()) {
        peak = Math.max(peak, process.memoryUsage().rss);
        yield bytes;
      }
    })();
    await driver.write(object, { form: "file", bytes: object.size, stream: watched });
    const evidence = await driver.verify(object, "verified");
    expect(evidence).toMatchObject({ finding: "present", bytesRead: megabytes * 1024 * 1024 });
    peak = Math.max(peak, process.memoryUsage().rss);
    // Five parts of 5 MiB, copies of them on their way to the socket, and what awaits collection.
    expect(peak - before).toBeLessThan(90 * 1024 * 1024);
  });

  it("removes every version of an object, or none of the space would be freed", async () => {
    const settings = { Status: "Enabled" } as const;
    const versioned = { Bucket: bucket, VersioningConfiguration: settings };
    await judge.send(new PutBucketVersioningCommand(versioned));
    const driver = await open();
    const stored = sample(5_000);
    for (let round = 0; round < 3; round++) {
      await driver.write(stored.object, fileBody(stored), { replace: true });
    }
    const list = new ListObjectVersionsCommand({ Bucket: bucket });
    expect((await judge.send(list)).Versions).toHaveLength(3);
    expect(await driver.remove(stored.object, permit(stored.object, "archive"))).toBe("removed");
    expect((await judge.send(list)).Versions ?? []).toEqual([]);
    expect(await driver.remove(stored.object, permit(stored.object, "archive"))).toBe("absent");
  });

  it("stores again what somebody deleted in a bucket with versions", async () => {
    await setVersioning("Enabled");
    const driver = await open();
    for (const stored of [sample(5_000), sample(4_000_000), sample(12 * 1024 * 1024)]) {
      const { object } = stored;
      const { locator } = await driver.write(object, fileBody(stored));
      await judge.send(new DeleteObjectCommand({ Bucket: bucket, Key: object.cid }));
      const { finding, method } = await driver.verify(object, "listed");
      expect(finding).toBe("absent");
      expect(method).toMatch(/not there; an older version is still in the bucket, behind the/);
      expect(await driver.write(object, fileBody(stored))).toMatchObject({ locator });
      expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
      expect(await driver.remove(object, permit(object, "archive"))).toBe("removed");
    }
  });

  it.each([
    ["cid", "Suspended"],
    ["file", "Enabled"],
    ["file", "Suspended"],
  ] as const)(
    "replaces nothing that another may have stored over a marker: layout %s, versioning %s",
    async (layout, status) => {
      await setVersioning("Enabled");
      const driver = await open({ layout });
      const stored = sample(5_000);
      const object = { ...stored.object, name: "/photos/it's a picture.jpg" };
      const { locator } = await driver.write(object, fileBody(stored));
      const Key = locator.slice(`s3://${bucket}/`.length);
      await setVersioning(status);
      const erase = new DeleteObjectCommand({ Bucket: bucket, Key });
      const { VersionId = "null" } = await judge.send(erase);
      const error: unknown = await driver
        .write(object, fileBody(stored))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "NOT_SUPPORTED",
        retryable: false,
        message: `${Key} in bucket ${bucket} was deleted, and the service takes the delete marker ${VersionId} for an object: nothing can be created there`,
        hint: expect.stringContaining(
          `aws s3api delete-object --bucket '${bucket}' --key '${Key.replace("'", `'\\''`)}' --version-id '${VersionId}' --endpoint-url '${server.endpoint}'`,
        ) as string,
      });
      await judge.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
      expect(await driver.write(object, fileBody(stored))).toMatchObject({ locator });
      expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
    },
  );

  it("says the same of a deleted record, under layout file", async () => {
    await setVersioning("Enabled");
    const driver = await open({ layout: "file" });
    const stored = sample(5_000);
    const object = { ...stored.object, name: "/a.txt" };
    await driver.write(object, fileBody(stored));
    const { Contents = [] } = await judge.send(new ListObjectsV2Command({ Bucket: bucket }));
    for (const { Key } of Contents) {
      await judge.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
    await expect(driver.write(object, fileBody(stored))).rejects.toMatchObject({
      code: "NOT_SUPPORTED",
      message: expect.stringContaining("takes the delete marker") as string,
    });
  });

  it("counts no versions of others, under layout file", async () => {
    await setVersioning("Enabled");
    const driver = await open({ layout: "file" });
    const stored = sample(5_000);
    const object = { ...stored.object, name: "/a.txt" };
    const place = { Bucket: bucket, Key: "a.txt" };
    await driver.write(object, fileBody(stored));
    const { VersionId } = await judge.send(new HeadObjectCommand(place));
    await judge.send(new PutObjectCommand({ ...place, Body: "another's" }));
    await judge.send(new DeleteObjectCommand(place));
    const ours = await driver.verify(object, "listed");
    expect(ours.finding).toBe("absent");
    expect(ours.method).toContain("an older version is still in the bucket");
    await judge.send(new DeleteObjectCommand({ ...place, VersionId }));
    const { finding, method } = await driver.verify(object, "listed");
    expect(finding).toBe("absent");
    expect(method).not.toContain("older version");
  });

  it("lists many pages in the order of keys, past what is not ours", async () => {
    const driver = await open({ prefix: "store" });
    const folder = join(server.folder, bucket, "store");
    await mkdir(join(folder, "somebody-elses"), { recursive: true });
    const cids: string[] = [];
    for (let seed = 1; seed <= 2_300; seed++) {
      const { object, bytes } = sample(8, seed);
      cids.push(object.cid);
      await writeFile(join(folder, object.cid), bytes);
    }
    await writeFile(join(folder, "notes.txt"), "not ours");
    await writeFile(join(folder, "somebody-elses", cids[0] ?? ""), "not ours either");
    const listed = await Array.fromAsync(driver.list());
    expect(listed.map((entry) => entry.cid)).toEqual(cids.toSorted());
    const cursor = listed[1_500]?.cursor ?? "";
    const rest = await Array.fromAsync(driver.list({ cursor }));
    expect(rest).toEqual(listed.slice(1_501));
  });

  it("records with each object what an inventory needs", async () => {
    const driver = await open({ prefix: "store" });
    const stored = sample(6 * 1024 * 1024);
    await driver.write(stored.object, fileBody(stored));
    const key = `store/${stored.object.cid}`;
    const head = await judge.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    expect(head.Metadata).toEqual({
      cid: stored.object.cid,
      size: String(stored.object.size),
      profile: defaultProfile,
      form: "file",
    });
  });

  async function uploads(): Promise<readonly (string | undefined)[]> {
    const answer = await judge.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return (answer.Uploads ?? []).map((upload) => upload.Key);
  }
});
