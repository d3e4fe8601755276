import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { TestEngine } from "../conformance/test-engine.ts";
import { driverWith } from "./driver-with.ts";

let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

describe("a removal between backends that are one storage", () => {
  test("is refused: they hold one copy", async () => {
    // Another name for the same folder.
    const { end, found } = await evicted((hot) => driverWith(hot, {}));
    expect(end).toMatchObject({
      outcome: "failed",
      code: "REFUSED",
      message: "kept: backends hot and cold are the same storage, and hold one copy",
    });
    expect(found).toBe("present");
  });

  test("is refused while a storage of its kind does not say which one it is", async () => {
    const silent = new EngineError("NOT_SUPPORTED", "it does not tell");
    const identity = { kind: "folder", names: () => Promise.reject(silent) };
    const { end, found } = await evicted((_, cold) => driverWith(cold, { identity }));
    expect(end).toMatchObject({
      outcome: "failed",
      code: "NOT_SUPPORTED",
      message: expect.stringContaining("could not be asked: it does not tell") as string,
    });
    expect(found).toBe("present");
  });

  test("asks storage of another kind nothing", async () => {
    const identity = { kind: "ipfs", names: neverAsked };
    const { end, found } = await evicted((_, cold) => driverWith(cold, { identity }));
    expect(end).toMatchObject({ outcome: "done" });
    expect(found).toBe("absent");
  });
});

function neverAsked(): Promise<never> {
  return Promise.reject(new EngineError("INTERNAL", "nobody asks"));
}

/** Evicts an object from hot that lies on cold too, where cold's driver is replaced. */
async function evicted(replaced: (hot: Driver, cold: Driver) => Driver) {
  await using engine = await TestEngine.open(server.url);
  const bytes = Buffer.from("counted twice");
  const { object } = await engine.stores.put("hot", bytes);
  await engine.stores.put("cold", bytes);
  for (const backend of ["hot", "cold"]) {
    engine.index.hold(object, backend, new Date().toISOString());
  }
  const drivers = await engine.drivers("hot", "cold");
  const [hot, cold] = [drivers.get("hot"), drivers.get("cold")];
  if (hot === undefined || cold === undefined) throw new Error("no drivers");
  drivers.set("cold", replaced(hot, cold));
  const evict = { verb: "evict", source: null, target: null, victim: "hot" } as const;
  engine.index.begin("run", [{ ...evict, objects: [object] }]);
  await engine.work(drivers);
  await engine.dispatch(drivers);
  await engine.ended("run");
  const { finding } = await hot.verify(object, "verified");
  return { end: engine.index.outcomes.get("run/0"), found: finding };
}
