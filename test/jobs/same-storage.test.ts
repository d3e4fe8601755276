import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SamePair } from "#model/same-storage.ts";
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
    const { end, found, known } = await evicted((hot) => driverWith(hot, {}));
    expect(end).toMatchObject({
      outcome: "skipped",
      reason: "kept: backends hot and cold are the same storage, and hold one copy",
    });
    expect(found).toBe("present");
    // What the permits of the next plan are judged by.
    expect(known).toEqual([["hot", "cold"]]);
  });

  test("is refused while a storage of its kind does not say which one it is", async () => {
    const silent = new EngineError("NOT_SUPPORTED", "it does not tell", { hint: "ask its owner" });
    const identity = { kind: "folder", names: () => Promise.reject(silent) };
    const { end, found } = await evicted((_, cold) => driverWith(cold, { identity }));
    expect(end).toMatchObject({
      outcome: "failed",
      code: "NOT_SUPPORTED",
      message:
        "kept: which storage backend cold is could not be asked: it does not tell; ask its owner",
    });
    expect(found).toBe("present");
  });

  test("waits for one of its kind that does not answer, without a failure", async () => {
    const away = new EngineError("UNAVAILABLE", "its peer is away");
    const identity = { kind: "folder", names: () => Promise.reject(away) };
    const { end, found, known } = await evicted((_, cold) => driverWith(cold, { identity }));
    expect(end).toMatchObject({
      outcome: "skipped",
      reason: "kept: which storage backend cold is could not be asked: its peer is away",
    });
    expect(found).toBe("present");
    expect(known).toEqual([]);
  });

  test("is refused when they are found to be one while copies are read", async () => {
    const { end, found } = await evicted((hot, cold) => {
      let isRead = false;
      const names = async () => (isRead ? ((await hot.identity?.names()) ?? []) : ["elsewhere"]);
      const verify: Driver["verify"] = async (...args) => {
        const evidence = await cold.verify(...args);
        isRead = true;
        return evidence;
      };
      return driverWith(cold, { identity: { kind: "folder", names }, verify });
    });
    expect(end).toMatchObject({
      outcome: "skipped",
      reason: expect.stringContaining("are the same") as string,
    });
    expect(found).toBe("present");
  });

  test("is refused when the copy that must remain lies on the storage of the one that goes", async () => {
    const { end, found } = await evicted((hot, cold) => {
      // Of several storages that come and go: away when it is asked, there when it is read.
      const verify: Driver["verify"] = async (object, level, options) => {
        const holders = (await hot.identity?.names()) ?? [];
        options?.onHolders?.(holders.map(String));
        return cold.verify(object, level, options);
      };
      return driverWith(cold, { identity: elsewhere, verify });
    });
    expect(end).toMatchObject({
      outcome: "skipped",
      reason: expect.stringContaining("are the same") as string,
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

const elsewhere = { kind: "folder", names: async () => ["elsewhere"] };

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
  // What the index is told, and keeps.
  const known: SamePair[] = [];
  const { index } = engine;
  const commitRemovals = index.commitRemovals.bind(index);
  index.commitRemovals = (step, outcomes) => {
    known.push(...outcomes.flatMap((one) => ("sameStorage" in one ? [one.sameStorage] : [])));
    return commitRemovals(step, outcomes);
  };
  index.begin("run", [{ ...evict, objects: [object] }]);
  await engine.work(drivers);
  await engine.dispatch(drivers);
  await engine.ended("run");
  const { finding } = await hot.verify(object, "verified");
  return { end: engine.index.outcomes.get("run/0"), found: finding, known };
}
