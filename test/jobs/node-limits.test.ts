import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorker } from "#jobs/worker.ts";
import type { Driver } from "#model/driver.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { nodeReport, TestEngine, until } from "../conformance/test-engine.ts";
import { driverWith } from "./driver-with.ts";

let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

test("a node works on no more batches than it may, over all backends together", async () => {
  await using engine = await TestEngine.open(server.url);
  const writing = new Set<string>();
  let most = 0;
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const slow = async (backend: string): Promise<Driver> => {
    const driver = await engine.stores.driver(backend);
    const write: Driver["write"] = async (object, body, options) => {
      const call = `${backend}/${object.cid}`;
      writing.add(call);
      most = Math.max(most, writing.size);
      await opened;
      writing.delete(call);
      return driver.write(object, body, options);
    };
    return driverWith(driver, { write });
  };
  const drivers = new Map([
    ["hot", await engine.stores.driver("hot")],
    ["warm", await slow("warm")],
    ["cold", await slow("cold")],
  ]);
  engine.index.begin("run", [
    ...(await batches(engine, "warm")),
    ...(await batches(engine, "cold")),
  ]);
  await engine.dispatch(drivers);
  const { queue: store, api } = engine;
  const node = nodeReport([...drivers.keys()]);
  const worker = await startWorker({
    store,
    node,
    drivers,
    api,
    concurrency: 4,
    concurrencyMax: 3,
  });
  try {
    await until(() => writing.size === 3);
    // All lanes have jobs that were taken and wait for the node.
    await until(async () => (await active(engine, "warm")) + (await active(engine, "cold")) === 8);
    expect(most).toBe(3);
    open();
    expect(await engine.ended("run")).toBe("completed");
    expect(most).toBe(3);
  } finally {
    open();
    await worker.close();
  }
});

async function active(engine: TestEngine, backend: string): Promise<number> {
  return engine.queue.queue(`lane-${backend}`).getActiveCount();
}

/** Six batches of one object each. */
async function batches(engine: TestEngine, target: string) {
  const plans = [];
  for (let at = 0; at < 6; at += 1) {
    const { object } = await engine.stores.put("hot", Buffer.from(`${target} ${at}`));
    engine.index.hold(object, "hot", new Date().toISOString());
    const backends = { source: "hot", target, victim: null } as const;
    plans.push({ verb: "replicate", ...backends, objects: [object] } as const);
  }
  return plans;
}
