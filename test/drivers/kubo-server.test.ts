import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { parseCid, rawCid } from "#content/cid.ts";
import { convertForm } from "#content/convert-form.ts";
import type { ByteStream, Driver } from "#model/driver.ts";
import { TcpProxy } from "../../scripts/chaos/tcp-proxy.ts";
import { bodyFor, collect, permit, pieces, sample } from "../conformance/sample-object.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { blockFiles, damageBlock, emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

const secrets = { all: "bearer:all", some: "basic:some:password" };

describe.skipIf(missing !== undefined)("the kubo driver and a real node", () => {
  let node: KuboNode;
  let guarded: KuboNode;
  const opened: Driver[] = [];
  const open = async (...args: Parameters<typeof openKubo>): Promise<Driver> => {
    const driver = await openKubo(...args);
    opened.push(driver);
    return driver;
  };

  beforeAll(async () => {
    const paths = ["version", "repo/stat", "pin/ls", "files/stat"];
    const authorizations = {
      all: { AuthSecret: secrets.all, AllowedPaths: ["/api/v0"] },
      some: { AuthSecret: secrets.some, AllowedPaths: paths.map((path) => `/api/v0/${path}`) },
    };
    [node, guarded] = await Promise.all([
      startKubo(),
      startKubo({ authorizations, authorization: "Bearer all" }),
    ]);
  });

  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
    await emptyKubo(node);
  });

  afterAll(async () => {
    await Promise.all([node.stop(), guarded.stop()]);
  });

  test("says which node answered, and how much it may hold", async () => {
    const status = await (await open(node)).status();
    expect(status).toMatchObject({ server: "Kubo 0.42.0", totalBytes: 10_000_000_000 });
    expect(status.freeBytes).toBeLessThan(10_000_000_000);
  });

  test("a secret of either kind opens the node; without one, or with another, it does not", async () => {
    const stored = sample(100);
    const allowed = await open(guarded, { secret: secrets.all });
    await allowed.write(stored.object, bodyFor(allowed, stored));
    const partly = await open(guarded, { secret: secrets.some });
    expect(await partly.stat(stored.object)).toBeDefined();
    await expect(partly.verify(stored.object, "verified")).rejects.toMatchObject({
      code: "FORBIDDEN",
      hint: expect.stringContaining("/api/v0/dag/export") as string,
    });
    const refused = [await open(guarded), await open(guarded, { secret: "bearer:another" })];
    for (const driver of refused) {
      await expect(driver.stat(stored.object)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
      await expect(driver.status()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    }
  });

  test("removal unpins, and the room is free once the node collects its garbage", async () => {
    const driver = await open(node);
    const [gone, kept] = [sample(300_000, 1), sample(300_000, 2)];
    for (const each of [gone, kept]) await driver.write(each.object, bodyFor(driver, each));
    expect(await driver.remove(gone.object, permit(gone.object, "node"))).toBe("removed");
    expect(await driver.stat(gone.object)).toBeUndefined();
    const before = (await blockFiles(node)).length;
    await node.ask("repo/gc");
    expect(await blockFiles(node)).toHaveLength(before - 1);
    expect(await driver.verify(kept.object, "verified")).toMatchObject({ finding: "present" });
  });

  test("what is not pinned is no copy, and neither is what is pinned for something else", async () => {
    const driver = await open(node);
    const stored = sample(3_000_000);
    await driver.write(stored.object, bodyFor(driver, stored));
    const leaf = {
      ...sample(0).object,
      cid: rawCid(stored.bytes.subarray(0, 1_048_576)).toString(),
    };
    expect(await driver.stat(leaf)).toBeUndefined();
    expect((await Array.fromAsync(driver.list())).map(({ cid }) => cid)).toEqual([
      stored.object.cid,
    ]);
  });

  test("pins the object and nothing else, whatever a CAR names as its roots", async () => {
    const driver = await open(node);
    const [wanted, other] = [sample(500, 1), sample(500, 2)];
    const car = carWith(other.object.cid, [wanted.bytes, other.bytes]);
    const body = { form: "dag", bytes: undefined, stream: pieces(car) } as const;
    await driver.write(wanted.object, body);
    const pins = JSON.parse(await node.ask("pin/ls")) as { readonly Keys: object };
    expect(Object.keys(pins.Keys)).toEqual([wanted.object.cid]);
  });

  test("a CAR without all blocks, or cut in the middle of one, leaves no pin", async () => {
    const driver = await open(node);
    const stored = sample(2_500_000);
    const whole = await collect(convertForm(pieces(stored.bytes), "file", "car", stored.object));
    const [first] = [stored.bytes.subarray(0, 1_048_576)];
    const partial = carWith(stored.object.cid, [first]);
    for (const car of [partial, whole.subarray(0, -10), whole.subarray(0, 700_000)]) {
      const body = { form: "dag", bytes: undefined, stream: pieces(car) } as const;
      await expect(driver.write(stored.object, body)).rejects.toMatchObject({ code: "CORRUPT" });
      expect(await driver.stat(stored.object)).toBeUndefined();
    }
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  test("a block that the node lost is found by sampling, and a repair brings it back", async () => {
    const driver = await open(node);
    const stored = sample(3_000_000);
    await driver.write(stored.object, bodyFor(driver, stored));
    const leaf = rawCid(stored.bytes.subarray(1_048_576, 2_097_152)).toString();
    await node.ask(`pin/rm?arg=${stored.object.cid}`);
    await node.ask(`block/rm?arg=${leaf}`);
    expect(await driver.verify(stored.object, "sampled")).toMatchObject({ finding: "absent" });
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.verify(stored.object, "sampled")).toMatchObject({ finding: "present" });
    await damageBlock(node, stored.object.cid);
    for (const level of ["sampled", "verified"] as const) {
      expect(await driver.verify(stored.object, level)).toMatchObject({ finding: "corrupt" });
    }
    await driver.write(stored.object, bodyFor(driver, stored), { replace: true });
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  test("an intact copy stays pinned when somebody asks to replace it", async () => {
    const driver = await open(node);
    const stored = sample(3_000_000);
    await driver.write(stored.object, bodyFor(driver, stored));
    const unread: ByteStream = {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("not to be read")) }),
    };
    const body = { form: "dag", bytes: undefined, stream: unread } as const;
    expect(await driver.write(stored.object, body, { replace: true })).toBeDefined();
  });

  test("keeps to what the node may hold", async () => {
    const { object } = sample(100);
    const driver = await open(node);
    const huge = { ...object, size: 11_000_000_000 };
    const body = { form: "dag", bytes: undefined, stream: pieces(Buffer.alloc(0)) } as const;
    await expect(driver.write(huge, body)).rejects.toMatchObject({
      code: "NO_SPACE",
      message: expect.stringContaining("StorageMax") as string,
    });
  });

  test("without room for an intact copy, nothing of a damaged one is given up", async () => {
    const driver = await open(node);
    const stored = sample(3_000_000);
    await driver.write(stored.object, bodyFor(driver, stored));
    await damageBlock(node, rawCid(stored.bytes.subarray(0, 1_048_576)).toString());
    const before = await blockFiles(node);
    const huge = { ...stored.object, size: 11_000_000_000 };
    const body = { form: "dag", bytes: undefined, stream: pieces(Buffer.alloc(0)) } as const;
    const full = driver.write(huge, body, { replace: true });
    await expect(full).rejects.toMatchObject({ code: "NO_SPACE" });
    expect(await driver.stat(stored.object)).toBeDefined();
    expect((await blockFiles(node)).toSorted()).toEqual(before.toSorted());
    // A backend that is full of this copy has room for its repair.
    const narrow = await open(node, { capacityBytes: 3_500_000 });
    await narrow.write(stored.object, bodyFor(narrow, stored), { replace: true });
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  test("garbage is collected before a copy is replaced or after it, never meanwhile", async () => {
    const driver = await open(node);
    const stored = sample(3_000_000);
    await driver.write(stored.object, bodyFor(driver, stored));
    await damageBlock(node, rawCid(stored.bytes.subarray(0, 1_048_576)).toString());
    const told: string[] = [];
    let collecting: Promise<void> | undefined;
    const collectAll = async (): Promise<void> => {
      for await (const _ of driver.collectGarbage?.() ?? []) told.push("collecting");
    };
    const body = bodyFor(driver, stored);
    const watched = (async function* (): ByteStream {
      collecting ??= collectAll();
      await sleep(300);
      yield* body.stream;
      told.push("replaced");
    })();
    await driver.write(stored.object, { ...body, stream: watched }, { replace: true });
    await collecting;
    expect(told[0]).toBe("replaced");
    expect(told).toContain("collecting");
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });

  test("a connection that is cut while bytes pass is UNAVAILABLE, and no copy either way", async () => {
    const proxy = await TcpProxy.open(() => Number(new URL(node.rpc).port));
    try {
      const driver = await open({ rpc: `http://127.0.0.1:${proxy.port}` });
      // More than the sockets between hold: else all has come before the cut.
      const stored = sample(40_000_000);
      const body = bodyFor(driver, stored);
      // What the driver drew has not left it yet: it first asks which blocks are there.
      const isDue = () => proxy.bytesSent >= 2_000_000;
      const cutting = { ...body, stream: cutIn(body.stream, isDue, () => proxy.cut()) };
      const failed = { code: "UNAVAILABLE", retryable: true };
      await expect(driver.write(stored.object, cutting)).rejects.toMatchObject(failed);
      expect(await driver.stat(stored.object)).toBeUndefined();
      const copy = await driver.write(stored.object, bodyFor(driver, stored));
      const whole = await driver.read(stored.object, copy);
      const reading = collect(cutIn(whole, after(2_000_000), () => proxy.cut()));
      await expect(reading).rejects.toMatchObject(failed);
      expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
    } finally {
      await proxy.close();
    }
  });

  test("a node that is killed under a write comes back without a copy, and takes it then", async () => {
    const driver = await open(node);
    const stored = sample(9_000_000, 5);
    const body = bodyFor(driver, stored);
    const isDue = after(2_000_000);
    const killing = { ...body, stream: cutIn(body.stream, isDue, () => node.kill()) };
    await expect(driver.write(stored.object, killing)).rejects.toMatchObject({ retryable: true });
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(driver.stat(stored.object)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(driver.verify(stored.object, "listed")).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    await node.startAgain();
    expect(await driver.stat(stored.object)).toBeUndefined();
    await driver.write(stored.object, bodyFor(driver, stored));
    expect(await driver.verify(stored.object, "verified")).toMatchObject({ finding: "present" });
  });
});

test("a node of an old version is refused with the remedy, and other services are not taken for one", async () => {
  let answer: readonly [number, string] = [200, JSON.stringify({ Version: "0.20.0" })];
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer[0]).end(answer[1]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const driver = await openKubo({ rpc: `http://127.0.0.1:${port}` });
  try {
    await expect(driver.stat(sample(1).object)).rejects.toMatchObject({
      code: "NOT_SUPPORTED",
      hint: expect.stringContaining("0.35") as string,
    });
    answer = [404, "404 page not found"];
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: false });
    answer = [200, "<html>log in</html>"];
    await expect(driver.status()).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: false });
  } finally {
    await driver.close();
    server.closeAllConnections();
    server.close();
  }
});

function carWith(root: string, blocks: readonly Uint8Array[]): Buffer {
  const sections = blocks.flatMap((bytes) => [carSectionHead(rawCid(bytes), [bytes]), bytes]);
  return Buffer.concat([carHeader(parseCid(root)), ...sections]);
}

/** Passes bytes on until it is due to do something to the connection, then passes on the rest. */
async function* cutIn(
  stream: ByteStream,
  isDue: (passed: number) => boolean,
  act: () => unknown,
): ByteStream {
  let passed = 0;
  let hasActed = false;
  for await (const piece of stream) {
    yield piece;
    passed += piece.length;
    if (hasActed || !isDue(passed)) continue;
    hasActed = true;
    await act();
  }
  expect(hasActed).toBe(true);
}

/** When so many bytes have been passed on. */
function after(bytes: number): (passed: number) => boolean {
  return (passed) => passed >= bytes;
}
