import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { bodyFor, sample } from "../conformance/sample-object.ts";
import { type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";
import { blockFile, emptyKubo, openKubo } from "./kubo-place.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)("a listing of the pins of a real node", () => {
  let node: KuboNode;
  const opened: Driver[] = [];
  const open = async (): Promise<Driver> => {
    const driver = await openKubo(node);
    opened.push(driver);
    return driver;
  };

  beforeAll(async () => {
    node = await startKubo();
  });

  afterEach(async () => {
    for (const driver of opened.splice(0)) await driver.close();
    await emptyKubo(node);
  });

  afterAll(() => node.stop());

  test("the name of a pin is told with it", async () => {
    const driver = await open();
    const [named, nameless] = [sample(50, 1), sample(50, 2)];
    for (const each of [named, nameless]) await driver.write(each.object, bodyFor(driver, each));
    await node.ask(`pin/add?arg=${named.object.cid}&name=${encodeURIComponent("Jörg's")}`);
    const listed = await Array.fromAsync(driver.list());
    const names = new Map(listed.map(({ cid, name }) => [cid, name]));
    expect(names.get(named.object.cid)).toBe("Jörg's");
    expect(listed.find(({ cid }) => cid === nameless.object.cid)).not.toHaveProperty("name");
  });

  test("a listing asks for the sizes that its caller does not know, of many raw blocks at once", async () => {
    const driver = await open();
    const [known, plain, tree] = [sample(50, 1), sample(60, 2), sample(3_000_000, 3)];
    for (const each of [known, plain, tree]) {
      await driver.write(each.object, bodyFor(driver, each));
    }
    const asked: string[] = [];
    const knownBytes = (cids: readonly string[]) => {
      asked.push(...cids);
      // Not what the node would say, so that it shows who said it.
      return Promise.resolve(cids.map((cid) => (cid === known.object.cid ? 7 : undefined)));
    };
    const listed = await Array.fromAsync(driver.list({ knownBytes }));
    const found = new Map(listed.map(({ cid, copy, size }) => [cid, { bytes: copy.bytes, size }]));
    expect(asked.toSorted()).toEqual(listed.map(({ cid }) => cid).toSorted());
    expect(found.get(known.object.cid)).toEqual({ bytes: 7, size: undefined });
    expect(found.get(plain.object.cid)).toEqual({ bytes: 60, size: 60 });
    const { bytes } = (await driver.stat(tree.object))!;
    expect(found.get(tree.object.cid)).toEqual({ bytes, size: 3_000_000 });
    // One block that is gone takes no size away from the others, and is told as nothing.
    await rm(blockFile(node, plain.object.cid));
    const again = await Array.fromAsync(driver.list());
    const sizes = new Map(again.map(({ cid, copy, size }) => [cid, [copy.bytes, size]]));
    expect(sizes.get(plain.object.cid)).toEqual([0, undefined]);
    expect(sizes.get(known.object.cid)).toEqual([50, 50]);
  });

  test("a cursor works although its pin has gone, and the order is that of the node", async () => {
    const driver = await open();
    const stored = Array.from({ length: 40 }, (_, seed) => sample(50, seed + 1));
    for (const each of stored) await driver.write(each.object, bodyFor(driver, each));
    const listed = await Array.fromAsync(driver.list());
    const [middle] = listed.slice(19, 20);
    if (middle === undefined) throw new Error("40 pins were listed");
    await node.ask(`pin/rm?arg=${middle.cid}`);
    const rest = await Array.fromAsync(driver.list({ cursor: middle.cursor }));
    expect(rest).toEqual(listed.slice(20));
  });
});
