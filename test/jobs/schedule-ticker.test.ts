import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { type ScheduleTicker, schedulesQueue, startScheduleTicker } from "#jobs/schedule-ticker.ts";
import type { EngineError } from "#model/engine-error.ts";
import { nextOccurrence } from "#policies/timing/occurrences.ts";
import type { Schedule, ScheduleTiming } from "#policies/timing/schedule.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { until } from "../conformance/test-engine.ts";

function schedule(timing: ScheduleTiming, zone = "UTC"): Schedule {
  return { timing, zone, jitterMs: 0, catchUpMs: undefined, overlap: "skip" };
}

function soon(ms: number): Schedule {
  return schedule({ kind: "once", at: new Date(Date.now() + ms) });
}

const everySecond = schedule({ kind: "every", everyMs: 1_000 });
const berlin = schedule({ kind: "cron", pattern: "30 2 * * *" }, "Europe/Berlin");
let namespaces = 0;

interface Ticking extends AsyncDisposable {
  readonly store: QueueStore;
  readonly ticker: ScheduleTicker;
  readonly ticks: { policy: string; at: number }[];
  readonly errors: EngineError[];
}

async function ticking(
  url: string,
  waitMs: (ticks: number) => number | undefined = () => undefined,
): Promise<Ticking> {
  namespaces += 1;
  const errors: EngineError[] = [];
  const store = await openQueueStore({ url, namespace: `ticks_${process.pid}_${namespaces}` });
  const ticks: { policy: string; at: number }[] = [];
  const ticker = await startScheduleTicker({
    store,
    onTick: async (policy) => {
      ticks.push({ policy, at: Date.now() });
      return waitMs(ticks.length);
    },
    onError: (error) => errors.push(error),
  });
  return {
    store,
    ticker,
    ticks,
    errors,
    [Symbol.asyncDispose]: async () => {
      await ticker.close();
      await store.close();
    },
  };
}

const servers = queueServers.filter(({ missing }) => missing === undefined);
describe.each(servers)("clocks in the queue store on $name", (kind) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await kind.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  test("ring at the multiples of `every`, again and again", async () => {
    await using clock = await ticking(server.url);
    await clock.ticker.sync(new Map([["cool", everySecond]]), new Date());
    await until(async () => clock.ticks.length >= 3);
    const phases = clock.ticks.slice(1).map(({ at }) => at % 1_000);
    expect(Math.max(...phases)).toBeLessThan(600);
    expect(clock.errors).toEqual([]);
  });

  test("have the next time that previews announce, in the zone of the policy", async () => {
    await using clock = await ticking(server.url);
    const now = new Date();
    await clock.ticker.sync(new Map([["cool", berlin]]), now);
    const [stored] = await clock.store.queue(schedulesQueue).getJobSchedulers();
    expect(stored).toMatchObject({ key: "cool", pattern: "30 2 * * *", tz: "Europe/Berlin" });
    expect(stored?.next).toBe(nextOccurrence(berlin, now)?.getTime());
  });

  test("ring once for a single time, and not when it was taken back", async () => {
    await using clock = await ticking(server.url);
    const kept = soon(700);
    await clock.ticker.sync(
      new Map([
        ["a", kept],
        ["b", soon(600)],
      ]),
      new Date(),
    );
    await clock.ticker.sync(new Map([["a", kept]]), new Date());
    await clock.ticker.sync(new Map([["a", kept]]), new Date());
    await until(async () => clock.ticks.length > 0);
    await clock.ticker.sync(new Map(), new Date());
    expect(await clock.store.queue(schedulesQueue).getDelayedCount()).toBe(0);
    expect(clock.ticks.map(({ policy }) => policy)).toEqual(["a"]);
  });

  test("ring again after the wait that a tick asks for", async () => {
    await using clock = await ticking(server.url, (ticks) => (ticks === 1 ? 400 : undefined));
    const at = new Date(Date.now() + 300);
    await clock.ticker.sync(new Map([["cool", schedule({ kind: "once", at })]]), new Date());
    await until(async () => clock.ticks.length === 2);
    expect((clock.ticks[1]?.at ?? 0) - (clock.ticks[0]?.at ?? 0)).toBeGreaterThanOrEqual(390);
  });

  test("go when the schedule goes, change with it, and come back after a loss", async () => {
    await using clock = await ticking(server.url);
    const queue = clock.store.queue(schedulesQueue);
    await clock.ticker.sync(
      new Map([
        ["cool", berlin],
        ["warm", berlin],
      ]),
      new Date(),
    );
    const later = schedule({ kind: "cron", pattern: "30 4 * * *" }, "UTC");
    await clock.ticker.sync(new Map([["cool", later]]), new Date());
    expect(await queue.getJobSchedulers()).toMatchObject([{ key: "cool", pattern: "30 4 * * *" }]);
    await queue.obliterate({ force: true });
    await clock.ticker.sync(new Map([["cool", later]]), new Date());
    expect(await queue.getJobSchedulersCount()).toBe(1);
    await clock.ticker.sync(new Map(), new Date());
    expect(await queue.getJobSchedulersCount()).toBe(0);
    expect(await queue.getDelayedCount()).toBe(0);
  });
});
