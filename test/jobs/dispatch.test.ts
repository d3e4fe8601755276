import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Admission } from "#jobs/admission.ts";
import { laneQueue } from "#jobs/lanes.ts";
import { pack, type StepJobData, type StepResult } from "#jobs/step-job.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { TestEngine, until } from "../conformance/test-engine.ts";

let server: QueueServer;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

describe("a lane that cannot take all", () => {
  test("takes the run of higher priority first, and says why the rest waits", async () => {
    await using engine = await TestEngine.open(server.url);
    const plain = await begin(engine, "plain", 10, 0);
    await begin(engine, "urgent", 3, 7);
    const dispatcher = await engine.dispatch(await engine.drivers("hot", "cold"), {
      queuedPerLaneMax: 4,
    });
    await until(() => dispatcher.held().length > 0);
    const jobs = await engine.queue.queue(laneQueue("cold")).getWaiting();
    const runs = jobs.map((job) => (job.data as { runId: string }).runId).toSorted();
    expect(runs).toEqual(["plain", "urgent", "urgent", "urgent"]);
    expect(dispatcher.held()).toMatchObject([
      {
        work: { runId: "plain", lane: "cold", node: undefined },
        wait: { reason: "concurrency", message: "4 batches are before it on the lane cold" },
        batches: plain - 1,
      },
    ]);
  });

  test("lets a small run through beside a large one that came before it", async () => {
    await using engine = await TestEngine.open(server.url);
    await begin(engine, "large", 60, 0);
    const lane = engine.queue.queue(laneQueue("cold"));
    const options = { queuedPerLaneMax: 4 };
    const dispatcher = await engine.dispatch(await engine.drivers("hot", "cold"), options);
    await until(async () => (await lane.getWaitingCount()) === 4);
    await begin(engine, "small", 6, 0);
    dispatcher.wake();
    const order: string[] = [];
    const done = { outcome: "skipped", reason: "taken" } as const;
    engine.queue.worker<StepJobData, StepResult>(
      laneQueue("cold"),
      async ({ data }) => {
        order.push(data.runId);
        return { packed: await pack([{ sequence: data.from, ...done }]) };
      },
      { concurrency: 1 },
    );
    expect(await engine.ended("small")).toBe("completed");
    expect(order.filter((run) => run === "small")).toHaveLength(6);
    // The four that were queued, then one for one, and what one more refill may bring.
    expect(order.lastIndexOf("small")).toBeLessThan(4 + 2 * 6 + 4);
  });

  test("gives the reason of the lane itself, when it has one", async () => {
    await using engine = await TestEngine.open(server.url);
    await begin(engine, "run", 6, 0);
    const dispatcher = await engine.dispatch(await engine.drivers("hot", "cold"), {
      queuedPerLaneMax: 2,
      laneWait: (lane) => ({ reason: "bandwidth", message: `${lane} is limited to 1M` }),
    });
    await until(() => dispatcher.held().length > 0);
    expect(dispatcher.held()).toMatchObject([{ wait: { reason: "bandwidth" }, batches: 4 }]);
  });
});

test("every lane gets its first batches before any lane is filled", async () => {
  await using engine = await TestEngine.open(server.url);
  const { object } = await engine.stores.put("hot", Buffer.from("wanted everywhere"));
  const to = (target: string) =>
    ({ verb: "replicate", source: "hot", target, victim: null, objects: [object] }) as const;
  const plans = ["cold", "warm", "far"].flatMap((target) =>
    Array.from({ length: 9 }, () => to(target)),
  );
  engine.index.begin("run", plans);
  const order: number[] = [];
  const markQueued = engine.index.markQueued.bind(engine.index);
  engine.index.markQueued = async (runId, numbers) => {
    order.push(...numbers);
    await markQueued(runId, numbers);
  };
  await engine.dispatch(await engine.drivers("hot"));
  await until(() => order.length === plans.length);
  const lanes = order.map((number) => plans[number]?.target);
  expect(new Set(lanes.slice(0, 12))).toEqual(new Set(["cold", "warm", "far"]));
  expect(order.toSorted((a, b) => a - b)).toEqual(plans.map((_, number) => number));
});

test("work that a rule holds back leaves the lane to the others, and is let in when it may", async () => {
  await using engine = await TestEngine.open(server.url);
  await begin(engine, "held", 2, 9);
  await begin(engine, "free", 2, 0);
  let open = false;
  const rule = {
    name: "test",
    judge: ({ runId }: { readonly runId: string }) =>
      runId === "held" && !open ? ({ reason: "window", message: "closed" } as const) : undefined,
  };
  const dispatcher = await engine.dispatch(await engine.drivers("hot", "cold"), {
    admission: new Admission([rule]),
  });
  const queued = () => engine.queue.queue(laneQueue("cold")).getWaitingCount();
  await until(async () => (await queued()) === 2);
  expect(dispatcher.held()).toMatchObject([{ work: { runId: "held" }, batches: 2 }]);
  open = true;
  dispatcher.wake();
  await until(async () => (await queued()) === 4);
  await until(() => dispatcher.held().length === 0);
});

/** A run of single-object batches to the cold backend. */
async function begin(
  engine: TestEngine,
  runId: string,
  count: number,
  priority: number,
): Promise<number> {
  const plans = [];
  for (let at = 0; at < count; at += 1) {
    const { object } = await engine.stores.put("hot", Buffer.from(`${runId} ${at}`));
    engine.index.hold(object, "hot", new Date().toISOString());
    const backends = { source: "hot", target: "cold", victim: null } as const;
    plans.push({ verb: "replicate", ...backends, objects: [object] } as const);
  }
  engine.index.begin(runId, plans, priority);
  return count;
}
