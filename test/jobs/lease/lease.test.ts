import { setTimeout as sleep } from "node:timers/promises";
import { array, assert, asyncProperty, constantFrom } from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HeldLease, type HeldLeaseOptions } from "#jobs/lease/held-lease.ts";
import { type IndexMark, type LeaseHolder, unwrittenMark } from "#jobs/lease/lease-store.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { type QueueServer, queueServers } from "../../conformance/queue-servers.ts";

/** Short, so that many terms pass in a second; the proportions are those of the real timing. */
const timing = {
  ttlMs: 300,
  renewEveryMs: 80,
  marginMs: 30,
  pollEveryMs: 20,
  callTimeoutMs: 2_000,
};

const holder = (id: string): LeaseHolder => ({
  id,
  node: `node-${id}`,
  pid: 1,
  index: `index-${id}`,
});

const markOf = (id: string, entry: number): IndexMark => {
  return { index: `index-${id}`, term: id, entry, check: "" };
};
const waiting = { timeout: 60_000, interval: 20 };

const available = queueServers.filter(({ name, missing }) => {
  if (missing !== undefined) console.info(`skipped ${name}: ${missing}`);
  return missing === undefined;
});

describe.each(available)("the controller lease on $name", (kind) => {
  let server: QueueServer;
  let store: QueueStore;
  let namespaces = 0;

  const open = async (): Promise<QueueStore> => {
    namespaces += 1;
    return openQueueStore({ url: server.url, namespace: `lease_${process.pid}_${namespaces}` });
  };
  const take = async (id: string, more: Partial<HeldLeaseOptions> = {}) =>
    HeldLease.take({ store: store.lease(), holder: holder(id), timing, ...more });

  beforeAll(async () => {
    server = await kind.start();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    store = await open();
  });
  afterEach(async () => {
    await store.close();
  });

  test("is granted to one of many that ask at once, and says who holds it", async () => {
    const asked = await Promise.all(["a", "b", "c", "d"].map((id) => take(id)));
    const granted = asked.filter((lease) => lease !== undefined);
    expect(granted.map((lease) => lease.epoch)).toEqual([1]);
    const record = await store.lease().read();
    expect(record).toMatchObject({ epoch: 1, holder: { pid: 1 } });
    expect(record.remainingMs).toBeGreaterThan(0);
    await granted[0]?.release();
    expect(await store.lease().read()).toMatchObject({ epoch: 1, remainingMs: 0 });
  });

  test("is free again at once after a release, and after its time when the holder fell silent", async () => {
    const first = await take("a");
    expect(await take("b")).toBeUndefined();
    await first?.release();
    const second = await take("b", { timing: { ...timing, renewEveryMs: 60_000 } });
    expect(second?.epoch).toBe(2);
    expect(second?.isCertain).toBe(true);
    await expect.poll(() => take("c"), { interval: 20 }).toMatchObject({ epoch: 3 });
    expect(second?.isCertain).toBe(false);
    await expect(second?.confirm()).rejects.toMatchObject({ code: "LOCKED", exitCode: 11 });
    expect(second?.lost.aborted).toBe(true);
  });

  test("stays with a holder who was late, under the same epoch, while nobody else asked", async () => {
    const late = await take("a", { timing: { ...timing, renewEveryMs: 60_000 } });
    await expect.poll(() => late?.isCertain, { interval: 20 }).toBe(false);
    await late?.confirm();
    expect([late?.epoch, late?.isCertain]).toEqual([1, true]);
    await late?.release();
  });

  test("can be taken from a holder who is known to be dead, by its epoch only", async () => {
    await take("a", { timing: { ...timing, ttlMs: 60_000, renewEveryMs: 60_000 } });
    const request = { holder: holder("b"), ttlMs: timing.ttlMs };
    expect(await store.lease().acquire({ ...request, takeFrom: 7 })).toMatchObject({
      granted: false,
      epoch: 1,
      holder: { id: "a" },
    });
    expect(await store.lease().acquire({ ...request, takeFrom: 1 })).toMatchObject({
      granted: true,
      epoch: 2,
    });
  });

  test("goes above an epoch that the store does not know, and survives the loss of the store", async () => {
    const lease = await take("a");
    await lease?.raise(41);
    expect(lease?.epoch).toBe(42);
    expect(await store.lease().read()).toMatchObject({ epoch: 42 });
    const elsewhere = (await open()).lease();
    expect(await elsewhere.renew(holder("a"), 42, timing.ttlMs)).toBe(true);
    expect(await elsewhere.renew(holder("b"), 43, timing.ttlMs)).toBe(false);
    expect(await elsewhere.read()).toMatchObject({ epoch: 42, holder: { id: "a" } });
    await elsewhere.close();
    await lease?.release();
  });

  test("tells from the first holder on that nobody has written the index", async () => {
    expect(await store.lease().mark()).toBeUndefined();
    const first = await take("a", { timing: { ...timing, renewEveryMs: 60_000 } });
    // So that a first holder who dies before its term is written is known to have written none.
    expect(await first?.lastMark()).toEqual(unwrittenMark);
    await first?.release();
    expect(await store.lease().mark()).toEqual(unwrittenMark);
  });

  test("forgets what was noted once an older version led, which notes nothing", async () => {
    const first = await take("a");
    await first?.note(markOf("a", 1));
    await first?.release();
    // A holder of an older version is kept without a word about marks.
    const older = { ...holder("old"), toJSON: () => holder("old") };
    const second = await take("old", { holder: older });
    expect(await second?.lastMark()).toEqual(markOf("a", 1));
    await second?.release();
    const third = await take("b");
    expect(third?.epoch).toBe(3);
    expect(await third?.lastMark()).toBeUndefined();
    await third?.release();
    const fourth = await take("c");
    await fourth?.note(markOf("c", 1));
    await fourth?.release();
    expect(await (await take("d"))?.lastMark()).toEqual(markOf("c", 1));
  });

  test("keeps what its holders note of the index, whoever takes it, until another one notes", async () => {
    const first = await take("a");
    await first?.note(markOf("a", 1));
    first?.noteSoon(markOf("a", 2));
    await expect.poll(() => store.lease().mark(), waiting).toEqual(markOf("a", 2));
    first?.noteSoon(markOf("a", 3));
    await first?.release();
    const second = await take("b");
    expect(await second?.lastMark()).toEqual(markOf("a", 3));
    expect(await store.lease().renew(holder("a"), 1, timing.ttlMs, markOf("a", 4))).toBe(false);
    await expect(first?.note(markOf("a", 5))).rejects.toMatchObject({ code: "LOCKED" });
    expect(await second?.lastMark()).toEqual(markOf("a", 3));
    await second?.note(markOf("b", 1));
    expect(await store.lease().mark()).toEqual(markOf("b", 1));
    await second?.release();
  });

  test("knows who waits for it until they withdraw or fall silent", async () => {
    const lease = store.lease();
    await lease.announce(holder("b"), 60_000);
    await lease.announce(holder("c"), 1);
    await expect.poll(() => lease.waiting(), { interval: 20 }).toEqual([holder("b")]);
    await lease.withdraw(holder("b"));
    expect(await lease.waiting()).toEqual([]);
  });

  test("no two holders ever believe at the same time, whatever pauses and clocks do", async () => {
    const plans = array(
      array(constantFrom("hold", "fall silent", "release", "clock jumps"), { maxLength: 12 }),
      { minLength: 3, maxLength: 5 },
    );
    await assert(
      asyncProperty(plans, async (contenders) => {
        const own = await open();
        try {
          const beliefs = await Promise.all(
            contenders.map((acts, at) => contend(own, `c${at}`, acts)),
          );
          const all = beliefs.flat().toSorted((a, b) => a.epoch - b.epoch);
          expect(new Set(all.map((belief) => belief.epoch)).size).toBe(all.length);
          for (const [at, next] of all.slice(1).entries()) {
            expect(all[at]?.lastCertain).toBeLessThan(next.granted);
          }
        } finally {
          await own.close();
        }
      }),
      { numRuns: 8 },
    );
  });
});

interface Belief {
  readonly epoch: number;
  /** When the grant arrived, and when the holder last believed, on one clock for all. */
  readonly granted: number;
  readonly lastCertain: number;
}

/** Takes the lease again and again, and misbehaves as told; says when it believed to hold it. */
async function contend(
  store: QueueStore,
  id: string,
  acts: readonly string[],
): Promise<readonly Belief[]> {
  const beliefs: Belief[] = [];
  let skewMs = 0;
  const clocks = {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now() + skewMs,
  };
  for (const act of acts) {
    const silent = act === "fall silent" ? { ...timing, renewEveryMs: 60_000 } : timing;
    const lease = await HeldLease.take({
      store: store.lease(),
      holder: holder(id),
      timing: silent,
      clocks,
    });
    if (lease === undefined) {
      await sleep(timing.pollEveryMs);
      continue;
    }
    const granted = performance.now();
    let lastCertain = granted;
    const watch = async (forMs: number) => {
      while (performance.now() - granted < forMs) {
        if (lease.isCertain) lastCertain = performance.now();
        await sleep(3);
      }
    };
    await watch(40);
    // Set back by an hour: a clock that could be set must not lengthen a lease.
    if (act === "clock jumps") skewMs -= 3_600_000;
    await watch(act === "fall silent" ? timing.ttlMs * 2 : 120);
    if (act !== "fall silent") await lease.release();
    beliefs.push({ epoch: lease.epoch, granted, lastCertain });
  }
  return beliefs;
}
