import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ByteStream, Driver, OnPart, WriteBody } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { TcpProxy } from "../../scripts/chaos/tcp-proxy.ts";
import { bodyFor, sample } from "../conformance/sample-object.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { blockFiles, emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

const mebibyte = 1_048_576;
const stored = sample(96 * mebibyte + 5);
const { object } = stored;

describe.skipIf(missing !== undefined)("an upload to a Kubo node that broke off", () => {
  let node: KuboNode;
  let proxy: TcpProxy;
  let driver: Driver;

  beforeAll(async () => {
    node = await startKubo();
    proxy = await TcpProxy.open(() => Number(new URL(node.rpc).port));
    driver = await openKubo({ rpc: `http://127.0.0.1:${proxy.port}` });
  });

  afterEach(() => emptyKubo(node));

  afterAll(async () => {
    await driver.close();
    await proxy.close();
    await node.stop();
  });

  test("goes on after the node was killed: what it has is not sent again", async () => {
    // A node writes the blocks of an upload in batches: on a busy machine long after it took them.
    await breakOff(80 * mebibyte, async () => {
      await vi.waitUntil(async () => (await blockFiles(node)).length > 16, { timeout: 120_000 });
      await node.kill();
    });
    await node.startAgain();
    const there = (await blockFiles(node)).length;
    expect(there).toBeGreaterThan(16);
    const told = { sent: 0, there: 0 };
    const onPart: OnPart = (what, bytes) => void (told[what] += bytes);
    const sent = await bytesOf(() => driver.write(object, bodyFor(driver, stored), { onPart }));
    expect(sent).toBeLessThan(object.size - (there - 2) * mebibyte);
    // What it says that it sent is what went over the wire, but for the words around it.
    expect(told.there).toBeGreaterThanOrEqual((there - 2) * mebibyte);
    expect(told.sent).toBeLessThanOrEqual(sent);
    expect(told.sent + told.there).toBeGreaterThanOrEqual(object.size);
    expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
  });

  test("sends everything where nothing is there, and asks a few times only", async () => {
    const sent = await bytesOf(() => driver.write(object, bodyFor(driver, stored)));
    expect(sent).toBeGreaterThan(object.size);
    expect(sent).toBeLessThan(object.size + mebibyte);
  });

  test("ends well when garbage is collected under it: what went is sent again", async () => {
    await breakOff(80 * mebibyte, () => proxy.cut());
    const body = bodyFor(driver, stored);
    let collected: Promise<unknown> | undefined;
    const collecting = (async function* (): ByteStream {
      let bytes = 0;
      for await (const piece of body.stream) {
        bytes += piece.length;
        if (bytes > 20 * mebibyte) collected ??= node.ask("repo/gc?quiet=true");
        yield piece;
      }
    })();
    await writeAgain({ ...body, stream: collecting });
    await collected;
    expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
    await node.ask("repo/gc?quiet=true");
    expect(await driver.verify(object, "verified")).toMatchObject({ finding: "present" });
  });

  test("ends well when the node is wrong about what it has: the next try sends all", async () => {
    const wrong = await lyingNode(node.rpc);
    const driverOnIt = await openKubo({ rpc: wrong.rpc }, { timeout: "5s" });
    try {
      const failing = driverOnIt.write(object, bodyFor(driverOnIt, stored));
      await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
      expect(await driverOnIt.stat(object)).toBeUndefined();
      await driverOnIt.write(object, bodyFor(driverOnIt, stored));
      expect(await driverOnIt.verify(object, "verified")).toMatchObject({ finding: "present" });
    } finally {
      await driverOnIt.close();
      await wrong.close();
      // Kubo may go on looking for the blocks that it lacks, and collects no garbage meanwhile.
      await node.kill();
      await node.startAgain();
    }
  });

  async function breakOff(at: number, act: () => unknown): Promise<void> {
    const body = bodyFor(driver, stored);
    const breaking = (async function* (): ByteStream {
      let bytes = 0;
      for await (const piece of body.stream) {
        if (bytes <= at && bytes + piece.length > at) await act();
        bytes += piece.length;
        yield piece;
      }
    })();
    const failing = driver.write(object, { ...body, stream: breaking });
    await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }

  /** Every kept connection may be dead: each is found out once. */
  async function writeAgain(body: WriteBody): Promise<void> {
    let next = body;
    for (let tries = 0; tries < 10; tries += 1) {
      const error = await driver.write(object, next).then(
        () => undefined,
        (thrown: unknown) => EngineError.from(thrown),
      );
      if (error === undefined) return;
      if (error.code !== "UNAVAILABLE") throw error;
      next = bodyFor(driver, stored);
    }
    throw new Error("it was never written");
  }

  async function bytesOf(act: () => Promise<unknown>): Promise<number> {
    const before = proxy.bytesSent;
    await act();
    return proxy.bytesSent - before;
  }
});

/** Stands before a node and says of every block that it is there. */
async function lyingNode(rpc: string): Promise<{ rpc: string; close: () => Promise<void> }> {
  const server = createServer((incoming, answer) => {
    const { method = "", url = "", headers } = incoming;
    if (url.includes("/block/stat")) {
      incoming.resume();
      answer.end(JSON.stringify({ Key: "any", Size: mebibyte }));
      return;
    }
    const outgoing = request(`${rpc}${url}`, { method, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    outgoing.on("error", () => answer.destroy());
    answer.on("close", () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    rpc: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
