import { afterAll, beforeAll, expect, test } from "vitest";
import { limitedDriver } from "#jobs/limits/limited-driver.ts";
import { NodeThrottles } from "#jobs/limits/node-throttles.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { defaultLimits, unlimitedNode } from "#model/backend-limits.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { storeOnHot } from "../conformance/store-on-hot.ts";
import { TestEngine } from "../conformance/test-engine.ts";

let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

test("small objects go by the group, and each is verified at the target", async () => {
  await using engine = await TestEngine.open(server.url);
  const objects = await storeOnHot(engine, 600);
  const calls = await replicate(engine, objects);
  expect(calls.get("storeGroup")).toBe(3);
  expect(calls.get("write") ?? 0).toBe(0);
  const cold = await engine.stores.driver("cold");
  for (const object of objects) {
    expect(await cold.verify(object, "verified")).toMatchObject({ finding: "present" });
  }
  expect((await cold.status()).usedBytes).toBe(objects.reduce((sum, { size }) => sum + size, 0));
});

test("what stands in the way of one object of a group is told of that object alone", async () => {
  await using engine = await TestEngine.open(server.url);
  const objects = await storeOnHot(engine, 60);
  const [damaged, elsewhere, known] = [objects[5], objects[9], objects[20]];
  if (!damaged || !elsewhere || !known) throw new Error("no objects");
  const hot = await engine.stores.driver("hot");
  for (const bad of [damaged, elsewhere]) {
    const copy = await hot.stat(bad);
    if (copy !== undefined) await engine.stores.damage("hot", copy);
  }
  await engine.stores.put("warm", Buffer.from("object 9"));
  await engine.stores.put("cold", Buffer.from("object 20"), "car");
  const calls = await replicate(engine, objects, ["hot", "warm", "cold"]);
  // Each from hot, one of them then from warm.
  expect(calls.get("write")).toBe(4);
  const ends = [...engine.index.outcomes.values()];
  expect(ends.filter(({ outcome }) => outcome === "done").length).toBe(59);
  expect(engine.index.outcomes.get("run/5")).toMatchObject({ outcome: "failed", code: "CORRUPT" });
  const found = engine.index.findings.map(({ cid, finding }) => `${cid} ${finding}`);
  expect(found.toSorted()).toEqual(
    [`${damaged.cid} corrupt`, `${elsewhere.cid} corrupt`].toSorted(),
  );
});

test("a target without room for a group takes what fits, and waits for the rest", async () => {
  await using engine = await TestEngine.open(server.url);
  const objects = await storeOnHot(engine, 40);
  await engine.stores.driver("cold", 200);
  const full = Promise.withResolvers<void>();
  engine.api.reportOutage = async () => {
    full.resolve();
  };
  engine.index.begin("run", [replicateOf(objects)]);
  const drivers = await engine.drivers("hot", "cold");
  await engine.work(drivers);
  await engine.dispatch(drivers);
  await full.promise;
  const held = await Array.fromAsync((await engine.stores.driver("cold")).list());
  expect(held.length).toBeGreaterThanOrEqual(20);
  expect([...engine.index.outcomes.values()]).toEqual([]);
});

test("groups go only where a whole one may pass at once, and count against the limits", async () => {
  await using engine = await TestEngine.open(server.url);
  const objects = await storeOnHot(engine, 100);
  const limited = async (bytesPerSecond: number) => {
    const throttles = new NodeThrottles({
      backends: [{ name: "cold", limits: defaultLimits }],
      node: unlimitedNode,
    });
    const throttle = throttles.of("cold");
    if (throttle === undefined) throw new Error("no throttle");
    throttle.apply({ upload: bytesPerSecond });
    return { driver: limitedDriver(await engine.stores.driver("cold"), throttle), throttle };
  };
  const slow = await limited(100_000);
  expect(slow.driver.storeGroup).toBeUndefined();
  const { driver, throttle } = await limited(10_000_000);
  const calls = await replicate(engine, objects, ["hot"], driver);
  expect(calls.get("storeGroup")).toBe(1);
  const { upload, requests } = throttle.use();
  expect(upload.wanted).toBeGreaterThan(0);
  expect(requests.wanted).toBeGreaterThan(0);
});

test("what a service copies within itself goes by no group, unless groups are quicker there", async () => {
  for (const groupsWithinAccount of [undefined, true]) {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 40);
    const of = async (name: string) =>
      inAccount(await engine.stores.driver(name), groupsWithinAccount);
    const calls = await replicate(engine, objects, ["hot"], await of("cold"), await of("hot"));
    expect(calls.get("storeGroup") ?? 0).toBe(groupsWithinAccount === true ? 1 : 0);
    expect(calls.get("write") ?? 0).toBe(groupsWithinAccount === true ? 0 : 40);
  }
});

/** Copies objects from hot to cold; how often each method of the target was called. */
async function replicate(
  engine: TestEngine,
  objects: readonly ObjectRef[],
  backends: readonly string[] = ["hot", "cold"],
  target?: Driver,
  source?: Driver,
): Promise<ReadonlyMap<string, number>> {
  const calls = new Map<string, number>();
  const drivers = await engine.drivers(...backends);
  const cold = target ?? drivers.get("cold");
  if (cold === undefined) throw new Error("no driver");
  drivers.set("cold", counting(cold, calls));
  if (source !== undefined) drivers.set("hot", source);
  engine.index.begin("run", [replicateOf(objects)]);
  await engine.work(drivers);
  await engine.dispatch(drivers);
  await engine.ended("run");
  return calls;
}

/** A driver that others of the same account could copy from without a byte passing here. */
function inAccount(driver: Driver, groupsWithinAccount: boolean | undefined): Driver {
  const facts: Readonly<Record<string | symbol, unknown>> = {
    account: "an account",
    groupsWithinAccount,
  };
  return new Proxy(driver, {
    get(target, name) {
      const value: unknown = name in facts ? facts[name] : Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

function replicateOf(objects: readonly ObjectRef[]) {
  return { verb: "replicate", source: "hot", target: "cold", victim: null, objects } as const;
}

function counting(driver: Driver, calls: Map<string, number>): Driver {
  return new Proxy(driver, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}
