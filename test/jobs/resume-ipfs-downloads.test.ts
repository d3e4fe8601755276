import { encode as encodeDagPb, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { carHeader, carSectionHead } from "#content/car-writer.ts";
import { dagPbCode, rawCid, sha256Digest } from "#content/cid.ts";
import { defaultProfile } from "#content/profile.ts";
import { transfer } from "#jobs/transfer.ts";
import type { ByteStream, Driver, ReadOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { bodyFor, pieces, sample } from "../conformance/sample-object.ts";
import { damageBlock, emptyKubo, openKubo } from "../drivers/kubo-place.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { type WatchedServer, watchServer } from "../services/watched-server.ts";
import { driverWith } from "./driver-with.ts";
import { LocalStores } from "./local-stores.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: downloads from IPFS nodes: ${missing}`);

const mebibyte = 1024 * 1024;
const stored = sample(24 * mebibyte + 5, 71);
const { object } = stored;

describe.skipIf(missing !== undefined)("a large file on an IPFS node", () => {
  let node: KuboNode;
  let watched: WatchedServer;
  let driver: Driver;
  let stores: LocalStores;

  beforeAll(async () => {
    node = await startKubo();
    watched = await watchServer(node.rpc);
    driver = await openKubo({ rpc: watched.endpoint });
    stores = await LocalStores.open();
  });
  afterEach(() => emptyKubo(node));
  afterAll(async () => {
    await stores[Symbol.asyncDispose]();
    await driver.close();
    await watched.stop();
    await node.stop();
  });

  it("is fetched on where it broke off: what is here is not fetched again", async () => {
    const copy = await driver.write(object, bodyFor(driver, stored));
    const target = { backend: "to", driver: await stores.driver("resumed") };
    const breaking = driverWith(driver, {
      read: async (one, kept, options) => cutAfter(await driver.read(one, kept, options)),
    });
    const failing = transfer(object, { backend: "node", driver: breaking, copy }, target);
    await expect(failing).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(await target.driver.stat(object)).toBeUndefined();
    const asked: (ReadOptions | undefined)[] = [];
    const noting = driverWith(driver, {
      read: (one, kept, options) => {
        asked.push(options);
        return driver.read(one, kept, options);
      },
    });
    watched.requests.splice(0);
    const done = await transfer(object, { backend: "node", driver: noting, copy }, target);
    expect(done.evidence).toMatchObject({ finding: "present", confidence: "verified" });
    const start = asked[0]?.range?.start ?? 0;
    expect(start).toBeGreaterThan(14 * mebibyte);
    expect(done.bytes).toBe(object.size - start);
    const fetched = watched.requests.reduce((sum, { answeredBytes }) => sum + answeredBytes, 0);
    expect(fetched).toBeLessThan(object.size - start + 64 * 1024);
  });

  it("is refused when a block of it is damaged, and the finding says so", async () => {
    const copy = await driver.write(object, bodyFor(driver, stored));
    await damageBlock(node, rawCid(stored.bytes.subarray(0, mebibyte)).toString());
    const target = { backend: "to", driver: await stores.driver("refused") };
    const failing = transfer(object, { backend: "node", driver, copy }, target);
    await expect(failing).rejects.toMatchObject({
      code: "CORRUPT",
      details: { transfer: { side: "source", evidence: { finding: "corrupt" } } },
    });
    expect(await target.driver.stat(object)).toBeUndefined();
  });

  it("that no profile cuts so goes by its blocks, though it begins as if one did", async () => {
    const lengths = [mebibyte, 1_000, mebibyte, mebibyte, mebibyte, mebibyte];
    const { root, car, size } = cutFile(lengths);
    const odd = { cid: root.toString(), size, profile: defaultProfile };
    const body = { form: "dag", bytes: undefined, stream: pieces(car) } as const;
    const copy = await driver.write(odd, body);
    const target = { backend: "to", driver: await stores.driver("odd") };
    const done = await transfer(odd, { backend: "node", driver, copy }, target);
    expect(done.copy.form).toBe("car");
    expect(done.evidence).toMatchObject({ finding: "present", confidence: "verified" });
  });
});

async function* cutAfter(stream: ByteStream): ByteStream {
  let bytes = 0;
  for await (const piece of stream) {
    yield piece;
    bytes += piece.length;
    if (bytes > 15 * mebibyte) throw new EngineError("UNAVAILABLE", "the source is out");
  }
}

/** A file of leaves of these lengths, as a CAR. */
function cutFile(lengths: readonly number[]): { root: CID; car: Uint8Array; size: number } {
  const leaves = lengths.map((length, seed) => sample(length, seed + 1).bytes);
  const links = leaves.map((bytes) => ({ Name: "", Tsize: bytes.length, Hash: rawCid(bytes) }));
  const blockSizes = lengths.map((length) => BigInt(length));
  const file = new UnixFS({ type: "file", blockSizes });
  const block = encodeDagPb(prepare({ Data: file.marshal(), Links: links }));
  const root = CID.createV1(dagPbCode, sha256Digest(block));
  const sections = leaves.flatMap((bytes) => [carSectionHead(rawCid(bytes), [bytes]), bytes]);
  const car = Buffer.concat([carHeader(root), ...sections, carSectionHead(root, [block]), block]);
  return { root, car, size: lengths.reduce((sum, length) => sum + length, 0) };
}
