import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { measuredDriver } from "#engine/metrics/measured-driver.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineError } from "#model/engine-error.ts";
import { groupsWith, requireGroups } from "#model/groups-with.ts";
import { type Measurements, noMeasurements } from "#model/metric.ts";
import { sample, type Sample } from "../conformance/sample-object.ts";
import { startVersitygw, type VersitygwServer, versitygwMissing } from "../services/versitygw.ts";
import { type WatchedServer, watchServer } from "../services/watched-server.ts";
import { newBucket, openBucket, referee } from "./s3-bucket.ts";

const missing = versitygwMissing();
if (missing !== undefined) console.error(`skipped: groups of objects on s3: ${missing}`);

describe.skipIf(missing !== undefined)("groups of small objects in a bucket", () => {
  let server: VersitygwServer;
  let watched: WatchedServer;
  let bucket = "";
  const opened: Driver[] = [];
  const samples = Array.from({ length: 24 }, (_, at) => sample(500 + at, at + 1));
  const objects = samples.map(({ object }) => object);

  beforeAll(async () => {
    server = await startVersitygw();
    watched = await watchServer(server.endpoint);
  });
  afterAll(async () => {
    await watched.stop();
    await server.stop();
  });
  beforeEach(async () => {
    watched.requests.length = 0;
    bucket = await newBucket(server);
  });
  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
  });

  async function open(options: Readonly<Record<string, unknown>> = {}): Promise<Driver> {
    const driver = await openBucket(server, bucket, { endpoint: watched.endpoint, ...options });
    opened.push(driver);
    return driver;
  }

  function store(driver: Driver) {
    return requireGroups(driver).storeGroup(
      objects,
      samples.map(({ bytes }) => bytes),
    );
  }

  /** How often each was asked of the keys of copies since the last time. */
  function asked(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { method, url } of watched.requests.splice(0)) {
      const { pathname, search } = new URL(url, watched.endpoint);
      const key = pathname.split("/").at(-1) ?? "";
      if (search.includes("list-type") || key === "" || key === bucket) continue;
      const kind = key.endsWith(".car") ? `${method} car` : method;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    return counts;
  }

  it("take one request to read, four to store, and two where a copy is there, which is not sent again", async () => {
    const driver = await open();
    // What is known of the bucket for a minute is asked for once.
    await driver.verify(sample(10).object, "listed");
    asked();
    const stored = await store(driver);
    expect(stored.every((copy) => copy?.moved)).toBe(true);
    const count = objects.length;
    expect(asked()).toEqual({ HEAD: count, "HEAD car": count, PUT: count, GET: count });

    const again = await store(driver);
    expect(again.every((copy) => copy?.moved === false)).toBe(true);
    expect(asked()).toEqual({ HEAD: count, GET: count });

    using read = await requireGroups(driver).readGroup(objects);
    expect(read.bytes.map((bytes) => bytes?.length)).toEqual(objects.map(({ size }) => size));
    expect(asked()).toEqual({ GET: count });
  });

  it.each([true, false])("replace nothing: conditionalCreate %s", async (conditionalCreate) => {
    const driver = await open({ conditionalCreate });
    expect((await store(driver)).every((copy) => copy?.moved)).toBe(true);
    asked();
    expect((await store(driver)).every((copy) => copy?.moved === false)).toBe(true);
    expect(asked()["PUT"]).toBeUndefined();
  });

  it("leave out what is damaged or of another size, and keep what lies there", async () => {
    const driver = await open();
    await store(driver);
    const [first, second] = samples;
    if (first === undefined || second === undefined) throw new Error("no samples");
    const client = referee(server);
    const key = async ({ object }: Sample) =>
      (await driver.stat(object))?.locator.split("/").at(-1);
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: await key(first), Body: "somebody else's" }),
    );
    client.destroy();
    asked();
    const stored = await store(driver);
    expect(stored.map((copy) => copy?.moved)).toEqual(
      objects.map((_, at) => (at > 0 ? false : undefined)),
    );
    expect(asked()["PUT"]).toBeUndefined();

    // What the index takes for longer than the content with this CID is.
    const wrong = { ...second.object, size: second.object.size + 1 };
    using read = await requireGroups(driver).readGroup([wrong]);
    expect(read.bytes).toEqual([undefined]);
    expect(await requireGroups(driver).storeGroup([wrong], [second.bytes])).toEqual([undefined]);
  });

  it("end soon where the service is out, and leave everything to who asks one by one", async () => {
    const driver = await open();
    await store(driver);
    asked();
    await server.kill();
    try {
      const stored = await store(driver);
      expect(stored.every((copy) => copy === undefined)).toBe(true);
      using read = await requireGroups(driver).readGroup(objects);
      expect(read.bytes.every((bytes) => bytes === undefined)).toBe(true);
      // Each of the eight that were under way was tried as often as the client tries.
      expect(asked()["GET"]).toBeLessThanOrEqual(3 * 8);
    } finally {
      await server.startAgain();
    }
  });

  it("tell the errors that left something out, which count as calls that failed", async () => {
    const failed = new Map<string, number>();
    const measurements: Measurements = {
      ...noMeasurements,
      add: (name, labels, count = 1) => {
        const { op, outcome } = labels as Readonly<Record<string, string>>;
        if (name !== "thermocline_driver_requests_total" || outcome === "ok") return;
        failed.set(`${op} ${outcome}`, (failed.get(`${op} ${outcome}`) ?? 0) + count);
      },
    };
    const driver = measuredDriver(await open(), "archive", measurements);
    const told: string[] = [];
    const onError = ({ code }: EngineError) => void told.push(code);
    using read = await requireGroups(driver).readGroup(objects, { onError });
    expect(read.bytes.every((bytes) => bytes === undefined)).toBe(true);
    expect(told).toEqual(objects.map(() => "NOT_FOUND"));
    expect([...failed]).toEqual([["read NOT_FOUND", objects.length]]);

    told.length = 0;
    failed.clear();
    await server.kill();
    try {
      await requireGroups(driver).storeGroup(
        objects,
        samples.map(({ bytes }) => bytes),
        { onError },
      );
      expect(told.length).toBeGreaterThan(0);
      expect([...failed.values()].reduce((sum, count) => sum + count)).toBe(told.length);
      expect([...failed.keys()].every((key) => key.startsWith("write "))).toBe(true);
    } finally {
      await server.startAgain();
    }
  });

  it("begin nothing further once they are drained, and end what has begun", async () => {
    const driver = await open();
    const bytes = samples.map((one) => one.bytes);
    const drain = new AbortController();
    const storing = requireGroups(driver).storeGroup(objects, bytes, { drain: drain.signal });
    const isSending = () => watched.requests.some(({ method }) => method === "PUT");
    await expect.poll(isSending, { timeout: 120_000 }).toBe(true);
    drain.abort();
    const stored = await storing;
    const urls = watched.requests.map(({ url }) => url);
    for (const [at, { cid }] of objects.entries()) {
      expect(stored[at] !== undefined).toBe(urls.some((url) => url.includes(cid)));
    }
    asked();
    const none = await requireGroups(driver).storeGroup(objects, bytes, { drain: drain.signal });
    expect(none.every((copy) => copy === undefined)).toBe(true);
    expect(asked()).toEqual({});
  });

  it("are not there where keys are names, all is kept as CARs, or nothing can be read back", async () => {
    for (const options of [{ layout: "file" }, { layout: "car" }, { storageClass: "GLACIER" }]) {
      expect(groupsWith(await open(options))).toBeUndefined();
    }
    expect(groupsWith(await open())).toBeDefined();
  });
});
