import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as fc from "fast-check";
import { decideRetry, objectAttemptsMax, outageDelayMs } from "#jobs/run-job.ts";
import { pack, unpack } from "#jobs/step-job.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { OutageReport } from "#model/backend-health.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { storeOnHot } from "../conformance/store-on-hot.ts";
import { TestEngine } from "../conformance/test-engine.ts";
import { driverWith } from "./driver-with.ts";

let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

describe("copying a batch", () => {
  test("an object that cannot be read fails alone, and the index learns what was found", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 10);
    const bad = objects[3];
    if (bad === undefined) throw new Error("no object");
    const copy = await (await engine.stores.driver("hot")).stat(bad);
    if (copy !== undefined) await engine.stores.damage("hot", copy);
    expect(await replicate(engine, objects, ["hot", "cold"])).toBe("partial");
    const ends = [...engine.index.outcomes.values()].map((end) => end.outcome);
    expect(ends.filter((end) => end === "done").length).toBe(9);
    expect(engine.index.outcomes.get("run/3")).toMatchObject({
      outcome: "failed",
      code: "CORRUPT",
    });
    expect(engine.index.findings).toMatchObject([
      { backend: "hot", cid: bad.cid, finding: "corrupt" },
    ]);
  });

  test("another intact copy serves when the planned source is damaged", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 1);
    await engine.stores.put("warm", Buffer.from("object 0"));
    const [object] = objects;
    const copy = object && (await (await engine.stores.driver("hot")).stat(object));
    if (copy !== undefined) await engine.stores.damage("hot", copy);
    expect(await replicate(engine, objects, ["hot", "warm", "cold"])).toBe("completed");
    expect(engine.index.outcomes.get("run/0")).toMatchObject({ outcome: "done" });
    expect(engine.index.findings).toMatchObject([{ backend: "hot", finding: "corrupt" }]);
  });

  test("errors that pass are retried, and the object is done", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 20);
    let calls = 0;
    const fail = () => ((calls += 1) % 2 === 1 ? "RATE_LIMITED" : undefined);
    expect(await replicate(engine, objects, ["hot", "cold"], { write: fail })).toBe("completed");
    expect(calls).toBeGreaterThanOrEqual(40);
  });

  test.each([
    { refusals: 1, ends: "completed", outcome: { outcome: "done" } },
    {
      refusals: 9,
      ends: "partial",
      outcome: { outcome: "failed", code: "CORRUPT", message: "cold: the node refuses the CAR" },
    },
  ])("what a target refuses is sent once more, then it is refused: $refusals", async (told) => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 1);
    engine.index.begin("run", [replicateOf(objects)]);
    const drivers = await engine.drivers("hot", "warm", "cold");
    const cold = await engine.stores.driver("cold");
    let writes = 0;
    const write: Driver["write"] = async (object, body, options) => {
      writes += 1;
      if (writes > told.refusals) return await cold.write(object, body, options);
      await Array.fromAsync(body.stream);
      throw new EngineError("CORRUPT", "the node refuses the CAR");
    };
    drivers.set("cold", driverWith(cold, { write }));
    await engine.work(drivers);
    await engine.dispatch(drivers);
    expect(await engine.ended("run")).toBe(told.ends);
    expect(engine.index.outcomes.get("run/0")).toMatchObject(told.outcome);
    expect(writes).toBe(2);
  });

  test("a target that is out holds the whole batch back and burns no object", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 30);
    const backAt = Date.now() + 4_000;
    const out = (): ErrorCode | undefined => (Date.now() < backAt ? "UNAUTHENTICATED" : undefined);
    const faults = { write: out, stat: out, verify: out, status: out };
    expect(await replicate(engine, objects, ["hot", "cold"], faults)).toBe("completed");
    expect(Date.now()).toBeGreaterThanOrEqual(backAt);
    expect([...engine.index.outcomes.values()].every((end) => end.outcome === "done")).toBe(true);
  });

  test("a full target holds the batch back until there is room, and burns no object", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 5);
    await engine.stores.driver("cold", 60);
    const ballast = await engine.stores.put("cold", Buffer.alloc(40));
    const reports: OutageReport[] = [];
    engine.api.reportOutage = async (report) => {
      reports.push(report);
      await rm(join(engine.stores.folder, "cold", ballast.copy.locator), { force: true });
    };
    expect(await replicate(engine, objects, ["hot", "cold"])).toBe("completed");
    expect([...engine.index.outcomes.values()].every((end) => end.outcome === "done")).toBe(true);
    expect(reports[0]).toMatchObject({ backend: "cold", code: "NO_SPACE", bytes: 8 });
  });

  test("a target that others are filling just now is full, not too small for an object", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 5);
    const cold = await engine.stores.driver("cold", 60);
    const { object } = await engine.stores.put("warm", Buffer.alloc(55));
    const givenUp = Promise.withResolvers<never>();
    const stream = (async function* () {
      yield await givenUp.promise;
    })();
    const other = cold
      .write(object, { form: "file", bytes: 55, stream })
      .catch((error: unknown) => EngineError.from(error).message);
    engine.api.reportOutage = async () => {
      givenUp.reject(new Error("the other write was given up"));
    };
    expect(await replicate(engine, objects, ["hot", "cold"])).toBe("completed");
    expect(await other).toContain("given up");
    expect([...engine.index.outcomes.values()].every((end) => end.outcome === "done")).toBe(true);
  });

  test("an object larger than the whole target fails with the reason and holds up no other", async () => {
    await using engine = await TestEngine.open(server.url);
    const { object: large } = await engine.stores.put("hot", Buffer.alloc(100));
    const objects = [large, ...(await storeOnHot(engine, 2))];
    await engine.stores.driver("cold", 20);
    expect(await replicate(engine, objects, ["hot", "cold"])).toBe("partial");
    const ends = [...engine.index.outcomes.values()];
    expect(ends).toMatchObject([
      { outcome: "failed", code: "NO_SPACE" },
      { outcome: "done" },
      { outcome: "done" },
    ]);
  });

  test("a batch whose jobs fail for good ends with the cause instead of hanging its run", async () => {
    await using engine = await TestEngine.open(server.url);
    const objects = await storeOnHot(engine, 4);
    const drivers = await engine.drivers("hot", "cold");
    engine.index.begin("run", [replicateOf(objects)]);
    engine.api.segment = async () => Buffer.from("not the segment");
    await engine.work(drivers);
    await engine.dispatch(drivers, { repairEveryMs: 100 });
    expect(await engine.ended("run")).toBe("partial");
    for (const end of engine.index.outcomes.values()) {
      expect(end).toMatchObject({ outcome: "failed", code: "INTERNAL" });
      expect(JSON.stringify(end)).toContain("arrived with CID");
    }
    expect(engine.index.outcomes.size).toBe(4);
  });
});

describe("the retry decision", () => {
  test("never retries what cannot change, and never more than so often", () => {
    const error = fc.record({
      retryable: fc.boolean(),
      attempt: fc.integer({ min: 1, max: 20 }),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(error, ({ retryable, attempt, random, retryAfterMs }) => {
        const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
        const failed = new EngineError("UNAVAILABLE", "x", { retryable, ...wait });
        const decision = decideRetry(failed, attempt, () => random);
        const afterMs = decision.retry ? decision.afterMs : 0;
        const mayRetry = retryable && attempt < objectAttemptsMax && (retryAfterMs ?? 0) <= 30_000;
        expect(decision.retry).toBe(mayRetry);
        expect(afterMs).toBeGreaterThanOrEqual(mayRetry ? (retryAfterMs ?? 0) : 0);
        expect(afterMs).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  test("spaces the tries on a backend that is out, up to a minute or what it asked for", () => {
    const out = new EngineError("UNAVAILABLE", "x");
    const delays = [1, 2, 3, 4, 5, 6, 50].map((count) => outageDelayMs(out, count));
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    const asked = new EngineError("RATE_LIMITED", "x", { retryAfterMs: 300_000 });
    expect(outageDelayMs(asked, 1)).toBe(300_000);
  });
});

test("what passes through the queue comes out as it went in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      expect(await unpack(await pack(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

function replicateOf(objects: readonly ObjectRef[]) {
  return { verb: "replicate", source: "hot", target: "cold", victim: null, objects } as const;
}

type Faults = Partial<Record<keyof Driver, () => ErrorCode | undefined>>;

async function replicate(
  engine: TestEngine,
  objects: readonly ObjectRef[],
  backends: readonly string[],
  faults: Faults = {},
): Promise<string> {
  engine.index.begin("run", [replicateOf(objects)]);
  const drivers = await engine.drivers(...backends);
  const cold = drivers.get("cold");
  if (cold !== undefined) drivers.set("cold", faulty(cold, faults));
  await engine.work(drivers);
  await engine.dispatch(drivers);
  return engine.ended("run");
}

/** A driver whose calls fail as told. */
function faulty(driver: Driver, faults: Faults): Driver {
  return new Proxy(driver, {
    get: (target, name: keyof Driver) => {
      // Groups would go around the calls that fail.
      if (name === "readGroup" || name === "storeGroup") return undefined;
      const value = target[name];
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        const code = faults[name]?.();
        if (code !== undefined) return Promise.reject(new EngineError(code, "as told"));
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
}
