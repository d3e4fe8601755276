import { once } from "node:events";
import { createServer, request as callServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import { LimitBook } from "#jobs/limits/limit-book.ts";
import { NodeThrottles } from "#jobs/limits/node-throttles.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import { defaultLimits } from "#model/backend-limits.ts";
import type { Driver } from "#model/driver.ts";
import { requireGroups } from "#model/groups-with.ts";
import { fileBody, sample } from "../../conformance/sample-object.ts";
import { newBucket, openBucket } from "../../drivers/s3-bucket.ts";
import {
  startVersitygw,
  type VersitygwServer,
  versitygwMissing,
} from "../../services/versitygw.ts";

const retryAfterMs = 3_000;
const unlimitedNode = { concurrency: undefined, bandwidth: undefined };
const backends = [{ name: "archive", limits: defaultLimits }];
const missing = versitygwMissing();
const why = missing === undefined ? "" : ` (skipped: ${missing})`;
let storage: VersitygwServer | undefined;
let proxy: Server | undefined;
/** When each request came in, and whether it was sent away. */
const seen: {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly refused: boolean;
}[] = [];
const closing: (() => Promise<unknown> | void)[] = [];

beforeAll(async () => {
  if (missing !== undefined) return;
  storage = await startVersitygw();
  proxy = await inFrontOf(storage);
});
afterAll(async () => {
  for (const close of closing) await close();
  proxy?.closeAllConnections();
  proxy?.close();
  await storage?.stop();
});

const name = "a 429 with Retry-After that one node meets keeps every node away until then";
test.skipIf(missing !== undefined)(`${name}${why}`, async () => {
  if (storage === undefined) throw new Error("no storage");
  const bucket = await newBucket(storage);
  const book = new LimitBook({ backends, store: nothingKept, now: () => new Date() });
  const [one, two] = [await node("one", bucket, book), await node("two", bucket, book)];
  const [first, second] = [sample(1_000, 1), sample(1_000, 2)];
  const { signal } = new AbortController();
  const writing = runWithRetries(() => one.write(first.object, fileBody(first)), { signal });
  await expect
    .poll(() => book.heldUntil("archive", new Date()), { timeout: 120_000 })
    .toBeDefined();
  const refusedAt = seen.find(({ refused }) => refused)?.at ?? Infinity;
  // The other node was told nothing by the service; it hears of it from the controller.
  const other = two.write(second.object, fileBody(second));
  await Promise.all([writing, other]);
  const early = seen.filter(({ at }) => at > refusedAt && at < refusedAt + retryAfterMs - 50);
  expect(early).toEqual([]);
  expect(seen.filter(({ refused }) => refused)).toHaveLength(1);
  expect(await two.stat(first.object)).toMatchObject({ bytes: 1_000 });
  expect(await one.stat(second.object)).toMatchObject({ bytes: 1_000 });
});

const inGroup =
  "a 429 within a group keeps what the group has stored, and every node away until then";
test.skipIf(missing !== undefined)(
  `${inGroup}${why}`,
  async () => {
    if (storage === undefined) throw new Error("no storage");
    seen.length = 0;
    const bucket = await newBucket(storage);
    const book = new LimitBook({ backends, store: nothingKept, now: () => new Date() });
    const [one, two] = [await node("one", bucket, book), await node("two", bucket, book)];
    const group = Array.from({ length: 24 }, (_, at) => sample(1_000, at + 1));
    const other = sample(1_000, 100);
    const stored = await requireGroups(one).storeGroup(
      group.map(({ object }) => object),
      group.map(({ bytes }) => bytes),
    );
    const refusedAt = seen.find(({ refused }) => refused)?.at ?? Infinity;
    await expect
      .poll(() => book.heldUntil("archive", new Date()), { timeout: 120_000 })
      .toBeDefined();
    // Of the eight under way one was sent away, and none of the rest was begun after that.
    expect(stored.filter((copy) => copy !== undefined).length).toBeLessThan(group.length);
    expect(await two.stat(other.object)).toBeUndefined();
    const asked = seen.filter(({ path }) => path.includes(other.object.cid)).map(({ at }) => at);
    expect(Math.min(...asked)).toBeGreaterThan(refusedAt + retryAfterMs - 50);
    for (const kept of stored.filter((copy) => copy !== undefined)) {
      const object = group.find((other) => other.object.cid === kept.evidence.cid)?.object;
      expect(object && (await one.stat(object))).toEqual(kept.copy);
    }
  },
  300_000,
);

/** A node of its own: a driver that goes through the proxy, and shares from the controller. */
async function node(called: string, bucket: string, book: LimitBook): Promise<Driver> {
  if (storage === undefined) throw new Error("no storage");
  const address = proxy?.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const driver = await openBucket(storage, bucket, { endpoint: `http://127.0.0.1:${port}` });
  const throttles = new NodeThrottles({ backends, node: unlimitedNode });
  throttles.connect({
    node: called,
    api: { limitShares: async (asked) => book.share(asked) },
  });
  closing.unshift(() => {
    throttles.close();
    return driver.close();
  });
  const throttle = throttles.of("archive");
  if (throttle === undefined) throw new Error("no throttle");
  return limitedDriver(driver, throttle);
}

/** Passes everything on to the real server, but sends the first upload away. */
async function inFrontOf({ endpoint }: VersitygwServer): Promise<Server> {
  const server = createServer((request, response) => {
    const { method = "GET", headers, url: path = "" } = request;
    const refused = method === "PUT" && !seen.some((call) => call.refused);
    seen.push({ at: performance.now(), method, path, refused });
    if (refused) {
      request.resume();
      response.writeHead(429, { "Retry-After": String(retryAfterMs / 1_000) });
      response.end();
      return;
    }
    // The signature covers the host, which is this one.
    const { hostname, port } = new URL(endpoint);
    const onward = callServer({ hostname, port, method, headers, path }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const nothingKept = {
  overrides: async () => [],
  setOverride: async () => undefined,
  removeOverride: async () => undefined,
};
