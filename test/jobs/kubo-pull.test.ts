import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { transfer } from "#jobs/transfer.ts";
import { openKubo } from "../drivers/kubo-place.ts";
import { bodyFor, sample } from "../conformance/sample-object.ts";
import { connectKubo, type KuboNode, kuboMissing, startKubo } from "../services/kubo.ts";

const missing = kuboMissing();
if (missing !== undefined) console.error(`skipped: ${missing}`);

describe.skipIf(missing !== undefined)("copies between IPFS nodes", () => {
  let nodes: readonly [KuboNode, KuboNode];
  const opened: Driver[] = [];

  beforeAll(async () => {
    nodes = await Promise.all([startKubo(), startKubo()]);
    await connectKubo(...nodes);
  });

  afterAll(async () => {
    for (const driver of opened) await driver.close();
    await Promise.all(nodes.map((node) => node.stop()));
  });

  /** Copies some content from one node to the other; `reads` counts what passed through us. */
  async function copy(swarms: readonly [string, string] | undefined, seed: number) {
    const [one, other] = await Promise.all([
      openKubo(nodes[0], { backend: "one", ...(swarms && { swarm: swarms[0] }) }),
      openKubo(nodes[1], { backend: "other", ...(swarms && { swarm: swarms[1] }) }),
    ]);
    opened.push(one, other);
    const stored = sample(3_000_000, seed);
    const there = await one.write(stored.object, bodyFor(one, stored));
    let reads = 0;
    const counting = new Proxy(one, {
      get: (driver, name) => {
        if (name === "read") reads += 1;
        const value: unknown = Reflect.get(driver, name);
        return typeof value === "function" ? (value.bind(driver) as unknown) : value;
      },
    });
    const source = { backend: "one", driver: counting, copy: there };
    const result = await transfer(stored.object, source, { backend: "other", driver: other });
    return { result, reads };
  }

  const verified = { moved: true, evidence: { finding: "present", confidence: "verified" } };

  test("nodes of one swarm fetch from each other, and nothing passes through the worker", async () => {
    const { result, reads } = await copy(["eu", "eu"], 1);
    expect(result).toMatchObject(verified);
    expect(reads).toBe(0);
  });

  test("nodes of different swarms, or of none, get a CAR through the worker", async () => {
    for (const [seed, swarms] of [undefined, ["eu", "us"] as const].entries()) {
      const { result, reads } = await copy(swarms, seed + 2);
      expect(result).toMatchObject(verified);
      expect(reads).toBeGreaterThan(0);
    }
  });
});
