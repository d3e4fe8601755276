import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Admission } from "#jobs/admission.ts";
import { windowRule } from "#jobs/admission/window.ts";
import { laneOf } from "#jobs/lanes.ts";
import type { Driver } from "#model/driver.ts";
import type { Work } from "#model/wait.ts";
import { parseTimeRange } from "#policies/timing/parse-time-range.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import { type Closing, Windows } from "#policies/timing/windows.ts";
import { type QueueServer, queueServers } from "../../conformance/queue-servers.ts";
import { TestEngine, until } from "../../conformance/test-engine.ts";
import { driverWith } from "../driver-with.ts";
import { pending } from "./pending-work.ts";

const active: Work = { ...pending, node: "node-1" };
const monday = (time: string): Date => new Date(`2026-05-04T${time}Z`);

function nights(onClose: Closing): ReadonlyMap<string, PolicyTiming> {
  const range = parseTimeRange("22:00-06:00");
  if ("message" in range) throw new Error(range.message);
  const windows = new Windows({ allow: [range], deny: [], zone: "Europe/Berlin", onClose });
  return new Map([["cool", { zone: "Europe/Berlin", schedule: undefined, triggers: [], windows }]]);
}

async function judge(onClose: Closing, work: Work, now: Date) {
  const rule = windowRule(async () => nights(onClose));
  await rule.refresh?.(now);
  return rule.judge(work, now);
}

describe("the windows of a policy", () => {
  test("hold its work while they are closed, and say why and until when", async () => {
    expect(await judge("checkpoint", pending, monday("12:00"))).toMatchObject({
      reason: "window",
      until: "2026-05-04T20:00:00.000Z",
      message:
        "policy cool may not act now: no window is open; " +
        "it opens at Mon 2026-05-04 22:00 Europe/Berlin",
    });
    expect(await judge("checkpoint", pending, monday("20:00"))).toBeUndefined();
    expect(await judge("checkpoint", pending, monday("03:59"))).toBeUndefined();
    expect(await judge("checkpoint", pending, monday("04:00"))).toBeDefined();
  });

  test("hold nothing of other policies", async () => {
    const other = { ...pending, policy: "warm" };
    expect(await judge("checkpoint", other, monday("12:00"))).toBeUndefined();
  });

  test("stop active work where it is, or after its object, or let it go on", async () => {
    const closed = monday("12:00");
    expect(await judge("checkpoint", active, closed)).toMatchObject({ reason: "window" });
    expect((await judge("checkpoint", active, closed))?.stop).toBeUndefined();
    expect(await judge("finish-object", active, closed)).toMatchObject({ stop: "finish-object" });
    expect(await judge("continue", active, closed)).toBeUndefined();
    expect(await judge("continue", pending, closed)).toMatchObject({ reason: "window" });
  });

  test("hold everything while nobody can read the policies", async () => {
    const rule = windowRule(async () => undefined);
    await rule.refresh?.(monday("21:00"));
    expect(rule.judge(pending, monday("21:00"))?.remedy).toBe("thermocline validate");
  });

  test("are judged anew when time goes back", async () => {
    const rule = windowRule(async () => nights("checkpoint"));
    await rule.refresh?.(monday("12:00"));
    expect(rule.judge(pending, monday("21:00"))).toBeUndefined();
    expect(rule.judge(pending, monday("12:00"))).toBeDefined();
  });
});

/** A run of one batch on a slow target, whose clock the test sets. */
async function slowRun(engine: TestEngine, onClose: Closing, objectCount: number) {
  let now = monday("21:00");
  const admission = new Admission([windowRule(async () => nights(onClose))]);
  const begun: string[] = [];
  const written: string[] = [];
  const drivers = new Map<string, Driver>(await engine.drivers("hot", "cold"));
  const cold = drivers.get("cold");
  if (cold === undefined) throw new Error("no driver");
  const slow = driverWith(cold, {
    write: async (object, content, options) => {
      begun.push(object.cid);
      await sleep(150, undefined, options?.signal === undefined ? {} : { signal: options.signal });
      const copy = await cold.write(object, content, options);
      written.push(object.cid);
      return copy;
    },
  });
  drivers.set("cold", slow);
  const objects = [];
  for (let number = 0; number < objectCount; number += 1) {
    const bytes = new TextEncoder().encode(`${onClose} ${number}`);
    const { object } = await engine.stores.put("hot", bytes);
    engine.index.hold(object, "hot");
    objects.push(object);
  }
  engine.index.begin("run", [
    { verb: "replicate", source: "hot", target: "cold", victim: null, objects },
  ]);
  engine.api.stepControls = async (steps) => {
    await admission.refresh(now);
    return steps.map((step) => {
      const wait = admission.judge({ ...step, policy: "cool", lane: laneOf(step) }, now);
      if (wait === undefined) return { control: "run" };
      const stop = wait.stop === undefined ? {} : { stop: wait.stop };
      return { control: "pause", reason: wait.message, ...stop };
    });
  };
  await engine.work(drivers, { objectsAtOnce: 2 });
  await engine.dispatch(drivers);
  return {
    begun,
    written,
    close: () => {
      now = monday("12:00");
    },
    open: () => {
      now = monday("21:30");
    },
  };
}

describe("work under way when a window closes", () => {
  const [kind] = queueServers;
  let server: QueueServer;
  beforeAll(async () => {
    server = await kind.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  test("finish-object ends what was begun, begins nothing more, and goes on when it opens", async () => {
    await using engine = await TestEngine.open(server.url);
    const run = await slowRun(engine, "finish-object", 40);
    await until(async () => run.begun.length >= 6);
    run.close();
    await until(async () => {
      const before = run.begun.length;
      await sleep(600);
      return run.begun.length === before;
    });
    expect(run.written).toEqual(expect.arrayContaining(run.begun));
    expect(run.begun.length).toBeLessThan(40);
    run.open();
    expect(await engine.ended("run")).toBe("completed");
    expect(run.begun.length).toBe(40);
  });

  test("checkpoint stops in mid-object; what was finished is not repeated", async () => {
    await using engine = await TestEngine.open(server.url);
    const run = await slowRun(engine, "checkpoint", 40);
    await until(async () => run.begun.length >= 6);
    run.close();
    await until(async () => {
      const before = run.begun.length;
      await sleep(600);
      return run.begun.length === before;
    });
    const begunBefore = run.begun.length;
    expect(run.written.length).toBeLessThan(begunBefore);
    run.open();
    expect(await engine.ended("run")).toBe("completed");
    expect(new Set(run.written).size).toBe(run.written.length);
    expect(run.written.length).toBe(40);
  });

  test("continue goes on to the end of what was enqueued", async () => {
    await using engine = await TestEngine.open(server.url);
    const run = await slowRun(engine, "continue", 20);
    await until(async () => run.begun.length >= 4);
    run.close();
    expect(await engine.ended("run")).toBe("completed");
  });
});
