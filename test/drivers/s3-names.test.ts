import { randomUUID } from "node:crypto";
import { open as openFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { s3CapabilitiesOf } from "#drivers/s3/s3-capabilities.ts";
import s3 from "#drivers/s3/s3.ts";
import type { StoredCopy } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { driverWith } from "../jobs/driver-with.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";
import { bodyFor, fileBody, permit, type Sample, sample } from "../conformance/sample-object.ts";
import {
  askVersitygw,
  startVersitygw,
  type VersitygwServer,
  versitygwMissing,
} from "../services/versitygw.ts";
import { newBucket, openBucket, referee } from "./s3-bucket.ts";

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: s3 with keys for people: ${missing}`);
const partBytes = 5 * 1024 * 1024;
let server: VersitygwServer;

beforeAll(async () => {
  if (missing === undefined) server = await startVersitygw();
});

afterAll(async () => {
  if (missing === undefined) await server.stop();
});

testDriver({
  name: "s3 with keys for people on versitygw v1.7.0",
  definition: { ...s3, capabilities: s3CapabilitiesOf({ layout: "file" }) },
  server: () => askVersitygw(server),
  missing,
  skip: [],
  largeBytes: 2 * partBytes + 3,
  storage,
});

async function storage(): Promise<SubjectStorage> {
  const bucket = `kit-${randomUUID()}`;
  await server.makeBucket(bucket);
  return {
    open: async (options) =>
      naming(
        await openBucket(
          server,
          bucket,
          { prefix: "store", layout: "file" },
          server.secretAccessKey,
          { backend: kitBackend, capacityBytes: options?.capacityBytes },
        ),
      ),
    corrupt: async ({ locator, bytes }) => {
      const file = await openFile(join(server.folder, locator.slice("s3://".length)), "r+");
      const byte = Buffer.alloc(1);
      const position = Math.floor(bytes / 2);
      await file.read(byte, 0, 1, position);
      byte[0] = (byte[0] ?? 0) ^ 1;
      await file.write(byte, 0, 1, position);
      await file.close();
    },
    leftovers: async () => {
      const entries = await readdir(join(server.folder, bucket), { recursive: true });
      const parts = entries.filter((path) => path.includes(".sgwtmp"));
      const stats = await Promise.all(parts.map((path) => stat(join(server.folder, bucket, path))));
      return parts.filter((_, at) => stats[at]?.isFile() === true);
    },
    remove: () => Promise.resolve(),
  };
}

/** Gives everything that is stored a name. */
function naming(driver: Driver): Driver {
  return driverWith(driver, {
    write: (object, body, options) =>
      driver.write({ ...object, name: `kit/${object.size}/Ü 1.bin` }, body, options),
  });
}

describe.skipIf(missing !== undefined)("s3 with keys for people", () => {
  let judge: S3Client;
  let bucket = "";
  const opened: Driver[] = [];

  beforeAll(() => {
    judge = referee(server);
  });
  afterAll(() => {
    judge.destroy();
  });
  beforeEach(async () => {
    bucket = await newBucket(server);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(options: Readonly<Record<string, unknown>> = {}): Promise<Driver> {
    const driver = await openBucket(server, bucket, { layout: "file", ...options });
    opened.push(driver);
    return driver;
  }

  function put(key: string, text: string): Promise<unknown> {
    return judge.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text }));
  }

  async function bytesAt(key: string): Promise<string | undefined> {
    const answer = await judge.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return answer.Body?.transformToString("latin1");
  }

  async function keys(): Promise<readonly (string | undefined)[]> {
    const answer = await judge.send(new ListObjectsV2Command({ Bucket: bucket }));
    return (answer.Contents ?? []).map(({ Key }) => Key);
  }

  it("stores files under their names, found from the CID alone after a restart", async () => {
    const stored = named("family/Fotos/Oma & Opa 👵.jpg");
    const copy = await (await open()).write(stored.object, fileBody(stored));
    expect(copy.locator).toBe(`s3://${bucket}/family/Fotos/Oma & Opa 👵.jpg`);
    expect(await bytesAt("family/Fotos/Oma & Opa 👵.jpg")).toBe(
      Buffer.from(stored.bytes).toString("latin1"),
    );
    const { name: _, ...object } = stored.object;
    const other = await open();
    expect(await other.stat(object)).toEqual(copy);
    expect(await other.verify(object, "verified")).toMatchObject({ finding: "present" });
    expect(await Array.fromAsync(other.list())).toMatchObject([
      { cid: object.cid, copy, size: 100, name: "family/Fotos/Oma & Opa 👵.jpg" },
    ]);
  });

  it("gives the second of one name a mark, and removes one without the other", async () => {
    const [first, second] = [named("report.pdf", 1), named("report.pdf", 2)];
    const driver = await open();
    await driver.write(first.object, fileBody(first));
    const copy = await driver.write(second.object, fileBody(second));
    const end = second.object.cid.slice(-12);
    expect(copy.locator).toBe(`s3://${bucket}/report~${end}.pdf`);
    expect(await driver.remove(first.object, permit(first.object, "archive"))).toBe("removed");
    expect(await driver.stat(first.object)).toBeUndefined();
    expect(await driver.verify(second.object, "verified")).toMatchObject({ finding: "present" });
    expect(await driver.remove(second.object, permit(second.object, "archive"))).toBe("removed");
    expect(await keys()).toEqual([]);
  });

  it("keeps the key when the object is renamed, or has a second name", async () => {
    const stored = named("draft.txt");
    const driver = await open();
    const copy = await driver.write(stored.object, fileBody(stored));
    const renamed = { ...stored.object, name: "final.txt" };
    expect(await driver.write(renamed, fileBody(stored))).toEqual(copy);
    expect(await driver.write(renamed, fileBody(stored), { replace: true })).toEqual(copy);
    expect((await keys()).filter((key) => key?.startsWith(".") === false)).toEqual(["draft.txt"]);
  });

  it("neither replaces, takes for its own nor removes what somebody else put there", async () => {
    await put("notes.txt", "somebody's notes");
    const stored = named("notes.txt");
    const driver = await open();
    const copy = await driver.write(stored.object, fileBody(stored));
    expect(copy.locator).toContain("notes~");
    expect(await bytesAt("notes.txt")).toBe("somebody's notes");
    expect(await Array.fromAsync(driver.list())).toHaveLength(1);

    const key = copy.locator.slice(`s3://${bucket}/`.length);
    await put(key, "overwritten");
    expect(await driver.stat(stored.object)).toBeUndefined();
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "absent" });
    expect(await driver.remove(stored.object, permit(stored.object, "archive"))).toBe("absent");
    expect(await bytesAt(key)).toBe("overwritten");
    const again = await driver.write(stored.object, fileBody(stored));
    expect(again.locator).toBe(`s3://${bucket}/${stored.object.cid}`);
    expect(await bytesAt(key)).toBe("overwritten");
  });

  it("does not take a copy that somebody made of ours for a second one", async () => {
    const stored = named("a.bin");
    const driver = await open();
    await driver.write(stored.object, fileBody(stored));
    const copied = { Bucket: bucket, Key: "b.bin", CopySource: `${bucket}/a.bin` };
    await judge.send(new CopyObjectCommand(copied));
    const head = await judge.send(new HeadObjectCommand({ Bucket: bucket, Key: "b.bin" }));
    expect(head.Metadata?.["cid"]).toBe(stored.object.cid);
    expect(await Array.fromAsync(driver.list())).toHaveLength(1);
  });

  it("leaves other people's versions of a key when it removes its own", async () => {
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await judge.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
    const stored = named("shared.txt");
    const driver = await open();
    await driver.write(stored.object, fileBody(stored));
    await driver.write(stored.object, fileBody(stored), { replace: true });
    await put("shared.txt", "theirs");
    expect(await driver.remove(stored.object, permit(stored.object, "archive"))).toBe("absent");
    expect(await bytesAt("shared.txt")).toBe("theirs");
  });

  it("finds another key where a folder is in the way, before any byte is sent", async () => {
    const [file, below] = [named("site", 1), named("site/index.html", 2)];
    const driver = await open();
    await driver.write(file.object, fileBody(file));
    const copy = await driver.write(below.object, fileBody(below));
    expect(copy.locator).toBe(`s3://${bucket}/${below.object.cid}`);
    expect(await driver.verify(below.object, "verified")).toMatchObject({ finding: "present" });
  });

  it("lets one of two writers of one name have it, and the other another", async () => {
    const writers = Array.from({ length: 6 }, (_, seed) => named("same.bin", seed + 1));
    const drivers = await Promise.all(writers.map(() => open()));
    // This service lets two in now and then: one of them hears of it, and tries again.
    const write = async (stored: Sample, driver: Driver): Promise<StoredCopy> => {
      try {
        return await driver.write(stored.object, fileBody(stored));
      } catch (thrown) {
        if (EngineError.from(thrown).code !== "CONFLICT") throw thrown;
        return write(stored, driver);
      }
    };
    const copies = await Promise.all(
      drivers.map((driver, at) => write(writers[at] ?? named("same.bin"), driver)),
    );
    expect(new Set(copies.map((copy) => copy.locator)).size).toBe(writers.length);
    for (const { object } of writers) {
      expect(await drivers[0]?.verify(object, "verified")).toMatchObject({ finding: "present" });
    }
  });

  it("finds what lay there by CID before, and cannot be changed back unnoticed", async () => {
    const [old, young] = [sample(100, 1), named("new.bin", 2)];
    const before = await open({ layout: "cid" });
    const copy = await before.write(old.object, fileBody(old));
    const driver = await open();
    expect(await driver.write({ ...old.object, name: "old.bin" }, fileBody(old))).toEqual(copy);
    await driver.write(young.object, fileBody(young));
    expect(await Array.fromAsync(driver.list())).toHaveLength(2);
    const refusal = { code: "CONFLICT", message: expect.stringContaining("layout") as string };
    await expect(Array.fromAsync(before.list())).rejects.toMatchObject(refusal);
    await expect(before.status()).rejects.toMatchObject(refusal);
    await put("!read me first.txt", "sorts before what this driver notes down");
    await expect(before.status()).rejects.toMatchObject(refusal);
  });

  it("stores everything as CARs with the layout car", async () => {
    const stored = sample(1_000);
    const driver = await open({ layout: "car" });
    const copy = await driver.write(stored.object, bodyFor(driver, stored));
    expect(copy).toMatchObject({ form: "car" });
    expect(copy.locator).toBe(`s3://${bucket}/${stored.object.cid}.car`);
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });
});

function named(name: string, seed = 1, size = 100): Sample {
  const { object, bytes } = sample(size, seed);
  return { object: { ...object, name }, bytes };
}
