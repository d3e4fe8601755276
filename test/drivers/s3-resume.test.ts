import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { measuredDriver } from "#engine/metrics/measured-driver.ts";
import type { ByteStream, Driver, OnPart, WriteBody } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { type Measurements, noMeasurements } from "#model/metric.ts";
import { fileBody, pieces, type Sample, sample } from "../conformance/sample-object.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { type WatchedServer, watchServer } from "../services/watched-server.ts";
import { newBucket, openBucket, referee } from "./s3-bucket.ts";

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: uploads that go on: ${missing}`);

const mebibyte = 1024 * 1024;
const partBytes = 5 * mebibyte;

describe.skipIf(missing !== undefined)("uploads to s3 that were cut off", () => {
  let server: VersitygwServer;
  let watched: WatchedServer;
  let judge: S3Client;
  let bucket = "";
  const opened: Driver[] = [];
  const stored = sample(4 * partBytes + 1);

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
    watched.requests.length = 0;
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

  it("go on after kill -9: another process sends only the parts that are not there", async () => {
    const script = fileURLToPath(new URL("fixtures/upload-until-killed.ts", import.meta.url));
    const args = [script, JSON.stringify(server), bucket, String(stored.bytes.length)];
    const child = spawn(process.execPath, [...args, String(3 * partBytes)], { stdio: "inherit" });
    await vi.waitFor(async () => expect(await partsThere()).toEqual([1, 2, 3]), 30_000);
    child.kill("SIGKILL");
    await once(child, "exit");

    const counted = new Map<string, number>();
    const measurements: Measurements = {
      ...noMeasurements,
      add: (_name, labels, by = 1) => {
        const { direction = "" } = labels as { readonly direction?: string };
        counted.set(direction, (counted.get(direction) ?? 0) + by);
      },
    };
    const driver = measuredDriver(await open(), "archive", measurements);
    const told = { sent: 0, there: 0 };
    const onPart: OnPart = (what, bytes) => void (told[what] += bytes);
    await driver.write(stored.object, fileBody(stored), { onPart });
    expect(sentParts()).toEqual([4, 5]);
    // What is counted as moved is what was sent; the parts that were there are told apart.
    expect(told).toEqual({ sent: partBytes + 1, there: 3 * partBytes });
    expect(counted.get("write")).toBe(partBytes + 1);
    expect(counted.get("resumed")).toBe(3 * partBytes);
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    expect(await uploads()).toEqual([]);
  });

  it("go on where the service or the source was out, if the write will be tried again", async () => {
    const driver = await open();
    const broken = driver.write(stored.object, breaksOff(stored, "UNAVAILABLE"), { resumable });
    await expect(broken).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await driver.stat(stored.object)).toBeUndefined();
    const earlier = await partsThere();
    expect(earlier.length).toBeGreaterThan(0);
    watched.requests.length = 0;
    await driver.write(stored.object, fileBody(stored), { resumable });
    expect(sentParts()).toEqual([1, 2, 3, 4, 5].filter((part) => !earlier.includes(part)));
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  it("keep nothing when the bytes were wrong, or nobody will try again", async () => {
    const driver = await open();
    for (const [code, again] of [
      ["CORRUPT", true],
      ["UNAVAILABLE", false],
    ] as const) {
      const options = { resumable: () => again };
      const broken = driver.write(stored.object, breaksOff(stored, code), options);
      await expect(broken).rejects.toMatchObject({ code });
      expect(await uploads()).toEqual([]);
    }
  });

  it("send a part again whose bytes are others", async () => {
    const { cid } = stored.object;
    const upload = await begin(cid);
    const parts = [sample(partBytes, 2).bytes, stored.bytes.subarray(partBytes, 2 * partBytes)];
    for (const [at, Body] of parts.entries()) {
      await judge.send(new UploadPartCommand({ ...upload, PartNumber: at + 1, Body }));
    }
    const driver = await open({ checksums: false });
    await driver.write(stored.object, fileBody(stored));
    expect(sentParts()).toEqual([1, 3, 4, 5]);
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  it("are given up when they are old, counted, and only those that are ours", async () => {
    const { cid } = stored.object;
    const upload = await begin(`store/${cid}`);
    const Body = stored.bytes.subarray(0, partBytes);
    await judge.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body }));
    await begin("store/notes.txt");
    await begin(`elsewhere/${cid}`);
    const young = await open({ prefix: "store" });
    const kept = { found: 1, abandoned: 0, abandonedBytes: 0 };
    expect(await young.clearUnfinished?.()).toEqual(kept);
    const old = await open({ prefix: "store", abandonAfter: "0s" });
    const given = { found: 1, abandoned: 1, abandonedBytes: partBytes };
    expect(await old.clearUnfinished?.({ dryRun: true })).toEqual(given);
    expect(await uploads()).toHaveLength(3);
    expect(await old.clearUnfinished?.()).toEqual(given);
    expect(await uploads()).toEqual([`elsewhere/${cid}`, "store/notes.txt"]);
  });

  it("leave another's upload of the same name alone, and go on with their own", async () => {
    const object = { ...stored.object, name: "film.mkv" };
    const theirs = await begin("film.mkv");
    const Body = stored.bytes.subarray(0, partBytes);
    await judge.send(new UploadPartCommand({ ...theirs, PartNumber: 1, Body }));
    // Services tell the time of an object to the second.
    await sleep(1_100);
    const driver = await open({ layout: "file", abandonAfter: "0s" });
    const broken = driver.write(object, breaksOff(stored, "UNAVAILABLE"), { resumable });
    await expect(broken).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await uploads()).toEqual(["film.mkv", "film.mkv"]);
    expect(sentParts()).toContain(1);
    watched.requests.length = 0;
    await driver.write(object, fileBody(stored), { resumable });
    expect(sentParts()).not.toContain(1);
    expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
    expect(await driver.clearUnfinished?.()).toMatchObject({ found: 0 });
    expect(await uploads()).toEqual(["film.mkv"]);
    const parts = await judge.send(new ListPartsCommand(theirs));
    expect(parts.Parts).toHaveLength(1);
  });

  it("are no copy when what lies under the name at the end is another's", async () => {
    const object = { ...stored.object, name: "film.mkv" };
    const Key = ".thermocline/by-key/film.mkv";
    const Metadata = { cid: object.cid };
    await judge.send(new PutObjectCommand({ Bucket: bucket, Key, Metadata, Body: "" }));
    await begin("film.mkv");
    const driver = await open({ layout: "file", checksums: false });
    const written = driver.write(object, fileBody(stored));
    await expect(written).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await driver.stat(object)).toBeUndefined();
  });

  async function begin(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
    const command = new CreateMultipartUploadCommand({ Bucket: bucket, Key });
    const { UploadId = "" } = await judge.send(command);
    return { Bucket: bucket, Key, UploadId };
  }

  async function uploads(): Promise<readonly (string | undefined)[]> {
    const answer = await judge.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return (answer.Uploads ?? []).map((upload) => upload.Key).toSorted(byName);
  }

  async function partsThere(): Promise<readonly number[]> {
    const answer = await judge.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    const [upload] = answer.Uploads ?? [];
    if (upload === undefined) return [];
    const { Key, UploadId } = upload;
    const parts = await judge.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }));
    return (parts.Parts ?? []).map((part) => part.PartNumber ?? 0);
  }

  function sentParts(): readonly number[] {
    return watched.requests
      .filter(({ method, url }) => method === "PUT" && url.includes("partNumber="))
      .map(({ url }) => Number(new URL(url, server.endpoint).searchParams.get("partNumber")))
      .toSorted((a, b) => a - b);
  }
});

const resumable = (): boolean => true;

function byName(a = "", b = ""): number {
  return a < b ? -1 : 1;
}

/** Ends with an error in the middle of its fourth part. */
function breaksOff({ bytes }: Sample, code: "CORRUPT" | "UNAVAILABLE"): WriteBody {
  const stream = (async function* (): ByteStream {
    yield* pieces(bytes.subarray(0, 3 * partBytes + mebibyte));
    throw new EngineError(code, "the source broke");
  })();
  return { form: "file", bytes: bytes.length, stream };
}
