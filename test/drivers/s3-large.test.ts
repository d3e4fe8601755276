import { randomUUID } from "node:crypto";
import { GetObjectTaggingCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AwsBucketClient } from "#drivers/s3/aws-bucket-client.ts";
import s3 from "#drivers/s3/s3.ts";
import { serverSideCopy } from "#drivers/s3/server-side-copy.ts";
import { transfer } from "#jobs/transfer.ts";
import type { Driver } from "#model/driver.ts";
import { collect, fileBody, type Sample, sample } from "../conformance/sample-object.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { type WatchedServer, watchServer } from "../services/watched-server.ts";
import { newBucket, openBucket, referee } from "./s3-bucket.ts";
import { expectLocksRespected, expectNothingLeft } from "./s3-lock-test.ts";

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: s3 at full strength: ${missing}`);

const partBytes = 5 * 1024 * 1024;

describe.skipIf(missing !== undefined)("s3 on versitygw v1.7.0", () => {
  let server: VersitygwServer;
  let watched: WatchedServer;
  let judge: S3Client;
  let bucket = "";
  const opened: Driver[] = [];
  const large = sample(4 * partBytes + 1);

  beforeAll(async () => {
    server = await startVersitygw();
    watched = await watchServer(server.endpoint);
    judge = referee(server);
  });
  afterAll(async () => {
    judge.destroy();
    await watched.stop();
    await server.stop();
  });
  beforeEach(async () => {
    bucket = await newBucket(server);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(options: Readonly<Record<string, unknown>> = {}): Promise<Driver> {
    const endpoint = { endpoint: watched.endpoint };
    const driver = await openBucket(server, bucket, { ...endpoint, ...options });
    opened.push(driver);
    return driver;
  }

  it("reads a large object by several requests at a time, in order, and any range of it", async () => {
    const driver = await open({ concurrency: 3 });
    const copy = await driver.write(large.object, fileBody(large));
    watched.requests.length = 0;
    const stream = await driver.read(large.object, copy);
    const iterator = stream[Symbol.asyncIterator]();
    const first = await iterator.next();
    // Nobody takes more: no more than three are asked for.
    expect(gets()).toHaveLength(3);
    const rest = await collect({ [Symbol.asyncIterator]: () => iterator });
    const whole = Buffer.concat([first.value ?? new Uint8Array(), rest]);
    expect(whole.equals(large.bytes)).toBe(true);
    expect(gets()).toHaveLength(5);
    const range = { start: partBytes - 3, end: 3 * partBytes + 3 };
    const part = await collect(await driver.read(large.object, copy, { range }));
    expect(part.equals(large.bytes.subarray(range.start, range.end))).toBe(true);
  });

  it("ends all its requests when the reader goes away", async () => {
    const driver = await open({ concurrency: 3 });
    const copy = await driver.write(large.object, fileBody(large));
    watched.requests.length = 0;
    for await (const _ of await driver.read(large.object, copy)) break;
    expect(gets().length).toBeLessThanOrEqual(3);
    expect((await driver.stat(large.object))?.bytes).toBe(large.bytes.length);
  });

  it("copies within the service: no byte of the object is sent, and the copy is proven", async () => {
    const other = await newBucket(server);
    const [source, target] = [await open(), await open({ bucket: other, prefix: "a b/ü" })];
    const copy = await source.write(large.object, fileBody(large));
    watched.requests.length = 0;
    const done = await transfer(
      large.object,
      { backend: "archive", driver: source, copy },
      { backend: "archive", driver: target },
    );
    expect(done).toMatchObject({ moved: true, bytes: large.bytes.length });
    expect(done.evidence).toMatchObject({ finding: "present", confidence: "verified" });
    const sent = watched.requests.reduce((sum, request) => sum + request.bytes, 0);
    expect(sent).toBeLessThan(10_000);
    // Once, for the proof.
    expect(received()).toBeLessThan(large.bytes.length + 100_000);
  });

  it("sends the bytes itself where the account is another one, or the source is damaged", async () => {
    const other = await newBucket(server);
    const source = await open();
    const stored = sample(50_000);
    const copy = await source.write(stored.object, fileBody(stored));
    const elsewhere = await open({ bucket: other, secretAccessKey: "env:OTHER" });
    expect(elsewhere.account).not.toBe(source.account);
    watched.requests.length = 0;
    const to = { backend: "archive", driver: elsewhere };
    await transfer(stored.object, { backend: "archive", driver: source, copy }, to);
    expect(puts(stored)).toEqual([50_000]);

    const third = await newBucket(server);
    const same = await open({ bucket: third });
    const damaged = sample(50_000, 2);
    const place = { Bucket: bucket, Key: damaged.object.cid };
    const { PutObjectCommand } = await import("@aws-sdk/client-s3");
    await judge.send(new PutObjectCommand({ ...place, Body: sample(50_000, 3).bytes }));
    const found = await source.stat(damaged.object);
    if (found === undefined) throw new Error("the damaged copy is not there");
    const from = { backend: "source", driver: source, copy: found };
    const moving = transfer(damaged.object, from, { backend: "archive", driver: same });
    const fault = { side: "source", backend: "source", evidence: { finding: "corrupt" } };
    await expect(moving).rejects.toMatchObject({ code: "CORRUPT", details: { transfer: fault } });
  });

  it("copies what is too large for one request in pieces", async () => {
    const source = await open();
    await source.write(large.object, fileBody(large));
    const client = clientOf(bucket);
    const request = {
      key: "copied",
      metadata: { cid: large.object.cid },
      create: true,
      source: { bucket, key: large.object.cid, bytes: large.bytes.length },
    };
    const limits = { wholeBytesMax: partBytes, pieceBytes: partBytes };
    await serverSideCopy(client, request, { concurrency: 2, signal: undefined }, limits);
    const copied = await collect(client.get("copied", undefined, undefined));
    expect(copied.equals(large.bytes)).toBe(true);
    client.close();
  });

  it("writes the tags that are configured, with small objects and large ones", async () => {
    const driver = await open({ tags: { team: "storage @ co + 1=x", tier: "cold" } });
    for (const stored of [sample(10), large]) {
      await driver.write(stored.object, fileBody(stored));
      const place = { Bucket: bucket, Key: stored.object.cid };
      const { TagSet } = await judge.send(new GetObjectTaggingCommand(place));
      expect(new Map(TagSet?.map(({ Key, Value }) => [Key, Value]))).toEqual(
        new Map([
          ["team", "storage @ co + 1=x"],
          ["tier", "cold"],
        ]),
      );
      const head = await judge.send(new HeadObjectCommand(place));
      expect(head.Metadata?.["cid"]).toBe(stored.object.cid);
    }
  });

  it("removes nothing that object lock or a legal hold protects, and says why", async () => {
    expect.hasAssertions();
    const locked = `locked-${randomUUID()}`;
    await expectLocksRespected(judge, locked, () => open({ bucket: locked }));
  });

  it("leaves no version behind where a bucket keeps them since later, or no more", async () => {
    expect.hasAssertions();
    const late = `late-${randomUUID()}`;
    await expectNothingLeft(judge, late, () => open({ bucket: late }));
  });

  function clientOf(name: string): AwsBucketClient {
    const { region, endpoint, accessKeyId, secretAccessKey } = server;
    const place = { bucket: name, region, endpoint, accessKeyId, forcePathStyle: true };
    return new AwsBucketClient({
      backend: "archive",
      options: s3.options.parse({ ...place, secretAccessKey: "env:SECRET" }),
      capacityBytes: undefined,
      secret: () => Promise.resolve(secretAccessKey),
    });
  }

  function gets(): readonly string[] {
    return watched.requests.filter(({ method }) => method === "GET").map(({ url }) => url);
  }

  function received(): number {
    return watched.requests.reduce((sum, request) => sum + request.answeredBytes, 0);
  }

  function puts({ object }: Sample): readonly number[] {
    return watched.requests
      .filter(({ method, url }) => method === "PUT" && url.includes(object.cid))
      .map(({ bytes }) => bytes);
  }
});
