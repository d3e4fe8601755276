import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { decode } from "@ipld/dag-pb";
import { rawCid } from "#content/cid.ts";
import type { Driver } from "#model/driver.ts";
import { bodyFor, sample } from "../conformance/sample-object.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { blockFile, damageBlock, emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

const chunkBytes = 1_048_576;

describe.skipIf(missing !== undefined)("a large file on a Kubo node", () => {
  let node: KuboNode;
  let driver: Driver;

  beforeAll(async () => {
    node = await startKubo();
    driver = await openKubo(node);
  });

  afterEach(() => emptyKubo(node));

  afterAll(async () => {
    await driver.close();
    await node.stop();
  });

  test("is verified by its blocks, each of which is read", async () => {
    const stored = sample(6 * chunkBytes + 5);
    const written = await driver.write(stored.object, bodyFor(driver, stored));
    const evidence = await driver.verify(stored.object, "verified", { written });
    expect(evidence).toMatchObject({ finding: "present", bytesRead: written.bytes });
  });

  test.each([
    ["the first leaf", 0],
    ["a leaf in the middle", 3],
    ["the short last leaf", 6],
  ])("is corrupt when %s is damaged, and when it is gone", async (_name, at) => {
    const stored = sample(6 * chunkBytes + 5);
    await driver.write(stored.object, bodyFor(driver, stored));
    const leaf = rawCid(stored.bytes.subarray(at * chunkBytes, (at + 1) * chunkBytes)).toString();
    await damageBlock(node, leaf);
    const damaged = await driver.verify(stored.object, "verified");
    expect(damaged).toMatchObject({ finding: "corrupt", confidence: "verified" });
    await rm(blockFile(node, leaf));
    const gone = await driver.verify(stored.object, "verified");
    expect(gone).toMatchObject({ finding: "corrupt", confidence: "verified" });
  });

  test("is corrupt when its root is damaged, though all its bytes are there", async () => {
    const stored = sample(6 * chunkBytes + 5);
    await driver.write(stored.object, bodyFor(driver, stored));
    const { cid } = stored.object;
    const block = await fetch(`${node.rpc}/api/v0/block/get?arg=${cid}`, { method: "POST" });
    expect(decode(new Uint8Array(await block.arrayBuffer())).Links).toHaveLength(7);
    await damageBlock(node, cid);
    const found = await driver.verify(stored.object, "verified");
    expect(found).toMatchObject({ finding: "corrupt" });
  });

  test("that nobody pins is absent, though its blocks are there", async () => {
    const stored = sample(6 * chunkBytes + 5);
    const written = await driver.write(stored.object, bodyFor(driver, stored));
    await node.ask(`pin/rm?arg=${stored.object.cid}`);
    const found = await driver.verify(stored.object, "verified", { written });
    expect(found).toMatchObject({ finding: "absent" });
  });

  test("of another object's size is corrupt", async () => {
    const stored = sample(6 * chunkBytes + 5);
    await driver.write(stored.object, bodyFor(driver, stored));
    const other = { ...stored.object, size: stored.object.size + 1 };
    const found = await driver.verify(other, "verified");
    expect(found).toMatchObject({ finding: "corrupt" });
  });
});
