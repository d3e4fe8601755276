import { glob, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { NodeReport } from "#model/node.ts";
import { heldByStorage } from "#model/held-by-storage.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { TestEngine } from "../conformance/test-engine.ts";
import { driverWith } from "./driver-with.ts";

const hour = 60 * 60 * 1_000;
let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

describe("the removal protocol", () => {
  test("removes a copy only after it saw the ones that must remain, and proves it", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "kept", new Date());
    await evict(engine, object);
    expect(await engine.stores.driver("hot").then((hot) => hot.stat(object))).toBeUndefined();
    const end = engine.index.outcomes.get("run/0");
    expect(end).toMatchObject({ outcome: "done", by: { result: "removed" } });
    // A copy re-hashed a moment ago is only looked at, and the proof says on what it rests.
    expect(end).toMatchObject({
      by: { proof: { evidence: [{ backend: "cold", finding: "present", confidence: "listed" }] } },
    });
    expect(JSON.stringify(end)).toContain("re-hashed 20");
  });

  test("re-hashes a reserved copy whose proof is old", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "old proof", new Date(Date.now() - 2 * hour));
    await evict(engine, object);
    expect(engine.index.outcomes.get("run/0")).toMatchObject({
      by: { proof: { evidence: [{ confidence: "verified", bytesRead: object.size }] } },
    });
  });

  test("re-hashes a reserved copy that lies under a name, however young its proof is", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "edited in place", new Date());
    const cold = await engine.stores.driver("cold");
    const copy = await cold.stat(object);
    if (copy === undefined) throw new Error("no copy");
    await engine.stores.damage("cold", copy);
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    const capabilities = { ...cold.capabilities, storesByName: true } as const;
    drivers.set("cold", driverWith(cold, { capabilities }));
    await engine.work(drivers);
    await engine.dispatch(drivers);
    await engine.ended("run");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({
      outcome: "failed",
      code: "CORRUPT",
    });
  });

  test.for([
    { found: "corrupt", code: "CORRUPT" },
    { found: "absent", code: "NOT_FOUND" },
  ])("keeps a copy when the one that must remain is $found", async ({ found, code }) => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "doomed", new Date(Date.now() - 2 * hour));
    const cold = await engine.stores.driver("cold");
    const copy = await cold.stat(object);
    if (copy === undefined) throw new Error("no copy");
    if (found === "corrupt") await engine.stores.damage("cold", copy);
    else await cold.remove(object, permitFor(object));
    await evict(engine, object);
    expect(engine.index.outcomes.get("run/0")).toMatchObject({ outcome: "failed", code });
    expect(engine.index.findings).toMatchObject([{ backend: "cold", finding: found }]);
    const hot = await engine.stores.driver("hot");
    expect((await hot.verify(object, "verified")).finding).toBe("present");
  });

  test("removes nothing with a permit that ran out, and goes on with another one", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "late", new Date());
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    // By the clock of the worker the permits of this controller have run out when they are given.
    let behindMs = 2 * hour;
    const now = () => new Date(Date.now() - behindMs);
    await engine.work(drivers);
    await engine.dispatch(drivers, { now, permitTtlMs: hour });
    await expect.poll(() => engine.index.commits, { timeout: 120_000 }).toContain("removals 0");
    expect(await drivers.get("hot")?.stat(object)).toBeDefined();
    expect(engine.index.outcomes.get("run/0")).toBeUndefined();
    behindMs = 0;
    await engine.ended("run");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({ outcome: "done" });
    expect(await drivers.get("hot")?.stat(object)).toBeUndefined();
  });

  test.for([
    { word: "ahead", aheadMs: 2 * hour },
    { word: "behind", aheadMs: -2 * hour },
  ])("uses permits by the clock of the controller where its own is $word", async ({ aheadMs }) => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "wrong clock", new Date());
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    const reports: NodeReport[] = [];
    const { heartbeat } = engine.api;
    engine.api.heartbeat = async (report) => {
      reports.push(report);
      return heartbeat(report);
    };
    await engine.work(drivers, {}, () => new Date(Date.now() + aheadMs));
    await engine.dispatch(drivers, { permitTtlMs: hour });
    await engine.ended("run");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({ outcome: "done" });
    // The second report tells the controller what the answer to the first one showed.
    await expect.poll(() => reports.length, { timeout: 120_000 }).toBeGreaterThan(1);
    expect(reports[1]?.clockAheadMs).toBeGreaterThan(aheadMs - 60_000);
    expect(reports[1]?.clockAheadMs).toBeLessThan(aheadMs + 60_000);
  });

  test("removes nothing with a permit that ran out, however far its own clock is behind", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "too late", new Date());
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    const seen = Promise.withResolvers<void>();
    // The first permit runs out while the copy that must remain is looked at, not the next one.
    const waits = [() => sleep(1_000)];
    const cold = drivers.get("cold")!;
    const verify = async (...values: Parameters<Driver["verify"]>) => {
      await (waits.pop()?.() ?? seen.promise);
      return cold.verify(...values);
    };
    drivers.set("cold", driverWith(cold, { verify }));
    await engine.work(drivers, {}, () => new Date(Date.now() - 2 * hour));
    await engine.dispatch(drivers, { permitTtlMs: 1_000 });
    await expect.poll(() => engine.index.commits, { timeout: 120_000 }).toContain("removals 0");
    expect(engine.index.outcomes.get("run/0")).toBeUndefined();
    expect(await drivers.get("hot")?.stat(object)).toBeDefined();
    seen.resolve();
  });

  test("leaves a copy that its storage holds, and says so: that is no failure", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "locked", new Date());
    const hot = await engine.stores.driver("hot");
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    drivers.set("hot", driverWith(hot, { remove: holdFast }));
    await engine.work(drivers);
    await engine.dispatch(drivers);
    await engine.ended("run");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({
      outcome: "skipped",
      reason: "kept: under a legal hold",
    });
    expect(await hot.stat(object)).toBeDefined();
  });

  test("waits while a backend that must be asked is out, and goes on when it is back", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "patient", new Date());
    let out = true;
    let asked = 0;
    const drivers = await engine.drivers("hot", "cold");
    drivers.set(
      "cold",
      unless(drivers.get("cold"), () => {
        asked += 1;
        return out;
      }),
    );
    engine.index.begin("run", [evictOf([object], "hot")]);
    await engine.work(drivers);
    await engine.dispatch(await engine.drivers("hot", "cold"));
    await expect.poll(() => asked, { timeout: 120_000 }).toBeGreaterThan(3);
    await expect(engine.ended("run", 1_500)).rejects.toThrow("did not end");
    const hot = await engine.stores.driver("hot");
    expect(await hot.stat(object)).toBeDefined();
    out = false;
    expect(await engine.ended("run")).toBe("completed");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({ outcome: "done" });
  });

  test("two runs that remove the last two copies of the same objects leave one each", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects: ObjectRef[] = [];
    for (let at = 0; at < 100; at += 1) {
      objects.push(await onBoth(engine, `last ${at}`, new Date()));
    }
    const parts = Array.from({ length: 10 }, (_, at) => objects.slice(at * 10, at * 10 + 10));
    engine.index.begin(
      "one",
      parts.map((part) => evictOf(part, "hot")),
    );
    engine.index.begin(
      "two",
      parts.toReversed().map((part) => evictOf(part, "cold")),
    );
    const drivers = await engine.drivers("hot", "cold");
    await engine.work(drivers);
    await engine.work(drivers);
    await engine.dispatch(drivers);
    await Promise.all([engine.ended("one"), engine.ended("two")]);
    const [hot, cold] = [drivers.get("hot"), drivers.get("cold")];
    let left = 0;
    for (const object of objects) {
      const copies = await Promise.all([hot?.stat(object), cold?.stat(object)]);
      left += copies.filter((copy) => copy !== undefined).length;
      expect(copies.some((copy) => copy !== undefined)).toBe(true);
    }
    expect(left).toBe(100);
    expect(engine.index.doubled).toEqual([]);
  });

  test("an outcome nobody reported is settled by asking the backend", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "unknown", new Date());
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    let clock = Date.now();
    const clocks = { now: () => new Date(clock), monotonicMs: () => clock };
    await engine.dispatch(drivers, { ...clocks, permitTtlMs: hour });
    await expect.poll(() => engine.index.commits, { timeout: 120_000 }).toEqual(["copies 0"]);
    // No worker ever comes. The clock passes the permit's end, and then the time of grace.
    clock += hour + 60_000;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(engine.index.settled).toEqual([]);
    clock += 2 * 60_000;
    await expect.poll(() => engine.index.settled.length, { timeout: 120_000 }).toBe(1);
    expect(engine.index.settled).toMatchObject([{ backend: "hot", finding: "present" }]);
  });

  test("a clock that is set forward settles nothing that may still be in use", async () => {
    await using engine = await TestEngine.open(server.url);
    const object = await onBoth(engine, "in use", new Date());
    engine.index.begin("run", [evictOf([object], "hot")]);
    const drivers = await engine.drivers("hot", "cold");
    let [clock, monotonic] = [Date.now(), 0];
    const errors: string[] = [];
    await engine.dispatch(drivers, {
      now: () => new Date(clock),
      monotonicMs: () => monotonic,
      permitTtlMs: hour,
      repairEveryMs: 100,
      onError: ({ message }) => errors.push(message),
    });
    await expect.poll(() => engine.index.commits, { timeout: 120_000 }).toEqual(["copies 0"]);
    // Workers that have not heard the new time count on the old one, and use the permit.
    clock += 2 * hour;
    await expect.poll(() => errors[0], { timeout: 120_000 }).toMatch(/clock .* forward by 2h/);
    await sleep(2_500);
    expect(engine.index.settled).toEqual([]);
    // By a clock that nobody sets it has run out by now, and the time of grace is over.
    clock += hour + 3 * 60_000;
    monotonic += hour + 3 * 60_000;
    await expect.poll(() => engine.index.settled.length, { timeout: 120_000 }).toBe(1);
    expect(errors).toHaveLength(1);
  });

  test("no other code asks a driver to remove anything", async () => {
    const callers: string[] = [];
    const src = new URL("../../src/", import.meta.url).pathname;
    for await (const file of glob("**/*.ts", { cwd: src })) {
      const text = await readFile(`${src}/${file}`, "utf8");
      // `queue.remove` takes a job out of the queue; drivers may call themselves.
      if (file.startsWith("drivers/")) continue;
      if (/(?<!\bqueue)\??\.remove\b|\[["']remove["']\]/.test(text)) callers.push(file);
    }
    expect(callers).toEqual(["jobs/handlers/remove.ts"]);
  });
});

const holdFast = () => Promise.reject(heldByStorage("under a legal hold", { legalHold: true }));

/** An object with an intact copy on `hot` and on `cold`. */
async function onBoth(engine: TestEngine, text: string, verifiedAt: Date): Promise<ObjectRef> {
  const { object } = await engine.stores.put("hot", Buffer.from(text));
  await engine.stores.put("cold", Buffer.from(text));
  engine.index.hold(object, "hot", verifiedAt.toISOString());
  engine.index.hold(object, "cold", verifiedAt.toISOString());
  return object;
}

async function evict(engine: TestEngine, object: ObjectRef): Promise<void> {
  engine.index.begin("run", [evictOf([object], "hot")]);
  const drivers = await engine.drivers("hot", "cold");
  await engine.work(drivers);
  await engine.dispatch(drivers);
  await engine.ended("run");
}

function evictOf(objects: readonly ObjectRef[], victim: string) {
  return { verb: "evict", source: null, target: null, victim, objects } as const;
}

/** A driver that is out as long as the condition says. */
function unless(driver: Driver | undefined, out: () => boolean): Driver {
  if (driver === undefined) throw new Error("no driver");
  return new Proxy(driver, {
    get: (target, name: keyof Driver) => {
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (out()) return Promise.reject(new EngineError("UNAVAILABLE", "the cable is out"));
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}

function permitFor(object: ObjectRef) {
  return {
    ...object,
    id: "by-hand",
    objectId: 0,
    backend: "cold",
    reserved: [],
    authority: "delete",
    issuedAt: "2026-01-01T00:00:00Z",
    expiresAt: "2026-01-01T01:00:00Z",
  } as const;
}
