import { defaultStepSettings } from "#jobs/step-context.ts";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchFlow } from "#jobs/batch-flow.ts";
import { stepDataOf } from "#jobs/dispatch-context.ts";
import { indexQueue, laneQueue } from "#jobs/lanes.ts";
import { QueueView } from "#jobs/queue-view.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { QueueServer, QueueServerKind } from "./queue-servers.ts";
import { storeOnHot } from "./store-on-hot.ts";
import { TestEngine, until } from "./test-engine.ts";

const backends = ["hot", "cold"] as const;

/** What every kind of queue server must do for the engine. One suite, run on each. */
export function queueKit(kind: QueueServerKind): void {
  if (kind.missing !== undefined) console.info(`skipped ${kind.name}: ${kind.missing}`);

  describe.skipIf(kind.missing !== undefined)(`the queue on ${kind.name}`, () => {
    let server: QueueServer;
    beforeAll(async () => {
      server = await kind.start();
    });
    afterAll(async () => {
      await server.stop();
    });

    test("copies, commits, removes, commits: in this order, each object once", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 50);
      engine.index.begin("run", [demote(objects.slice(0, 25)), demote(objects.slice(25))]);
      const drivers = await engine.drivers(...backends);
      await engine.work(drivers);
      await engine.dispatch(drivers);
      expect(await engine.ended("run")).toBe("completed");
      for (const batch of [0, 1]) {
        const order = engine.index.commits.filter((commit) => commit.endsWith(` ${batch}`));
        expect(order).toEqual([`copies ${batch}`, `removals ${batch}`]);
      }
      await expectOnly(engine, objects, "cold", "hot");
      expect(engine.index.doubled).toEqual([]);
      expect(engine.errors).toEqual([]);
    });

    test("a flow that is added twice runs once", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 3);
      engine.index.begin("run", [demote(objects)]);
      const [batch] = await engine.index.pendingBatches("run", "cold", 1);
      if (batch === undefined) throw new Error("no batch");
      const flow = batchFlow(await stepDataOf(batch, engine.index));
      await engine.index.markQueued("run", [0]);
      await engine.queue.flows().add(flow);
      await engine.queue.flows().addBulk([flow, flow]);
      const drivers = await engine.drivers(...backends);
      await engine.work(drivers);
      await engine.dispatch(drivers);
      expect(await engine.ended("run")).toBe("completed");
      await sleep(300);
      expect(engine.index.commits).toEqual(["copies 0", "removals 0"]);
    });

    test("a worker killed in mid-batch is replaced without repeating what it finished", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 400);
      engine.index.begin("run", [replicate(objects)]);
      await engine.dispatch(await engine.drivers(...backends));
      const first = await engine.fork(backends, 40);
      await until(async () => (await engine.journal()).length >= 450);
      first.kill("SIGKILL");
      await once(first, "exit");
      const before = await engine.journal();
      const ended = new Set(await engine.journal("finished"));
      expect(before.filter((line) => line.startsWith("write")).length).toBeLessThan(400);
      const killedAt = Date.now();
      await engine.fork(backends, 1);
      expect(await engine.ended("run")).toBe("completed");
      expect(Date.now() - killedAt).toBeLessThan(15_000);
      const journal = await engine.journal();
      const writes = journal.filter((line) => line.startsWith("write"));
      expect(new Set(writes).size).toBe(400);
      // Only what the kill interrupted is written twice, and all of it is accounted for.
      const begun = before.filter((line) => line.startsWith("write"));
      const cut = begun.filter((line) => !ended.has(line));
      expect(cut.length).toBeLessThanOrEqual(defaultStepSettings.objectsAtOnce);
      const again = cut.filter((line) => writes.indexOf(line) !== writes.lastIndexOf(line));
      expect(writes.length).toBe(400 + again.length);
      // What the killed worker had not yet saved (half a second's work) is checked again.
      const checks = new Set(before.filter((line) => line.startsWith("verify")));
      const after = new Set(journal.slice(before.length));
      expect([...checks].filter((check) => after.has(check)).length).toBeLessThanOrEqual(130);
      expect(checks.size).toBeGreaterThan(150);
      expect(engine.index.doubled).toEqual([]);
    });

    test("a job whose worker is gone is told from one that a worker has", async () => {
      await using engine = await TestEngine.open(server.url);
      const lane = laneQueue("cold");
      const data = await someStep(engine);
      const view = new QueueView(engine.queue);
      const active = async () => (await view.lane("cold")).active.map(({ step }) => step);
      const over = Promise.withResolvers<void>();
      // Nobody renews the lock of a process that was killed, or that stands still.
      const dead = { skipLockRenewal: true, lockDuration: 500 };
      const alive = { lockDuration: 600_000 };
      for (const [name, timing] of [
        ["dead", dead],
        ["alive", alive],
      ] as const) {
        const options = { ...timing, name, skipStalledCheck: true };
        const worker = engine.queue.worker(lane, () => over.promise, options);
        await engine.queue.queue(lane).add("copy", data, { jobId: name });
        await until(async () => (await active()).some(({ node }) => node === name));
        // One job each: the next is the next one's.
        await worker.pause(true);
      }
      await until(async () => (await active()).some(({ lost }) => lost));
      const seen = (await active()).map(({ node, lost }) => [node, lost]);
      expect(new Map(seen as [string, boolean][])).toEqual(
        new Map([
          ["dead", true],
          ["alive", false],
        ]),
      );
      expect((await view.find("dead", ["cold"]))?.seen.step).toMatchObject({ lost: true });
      expect((await view.find("alive", ["cold"]))?.seen.step).toMatchObject({ lost: false });
      over.resolve();
    });

    test("a worker that is told to end lets another go on at once", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 200);
      engine.index.begin("run", [replicate(objects)]);
      await engine.dispatch(await engine.drivers(...backends));
      const first = await engine.fork(backends, 200);
      await until(async () => (await engine.journal()).length >= 40);
      const begun = Date.now();
      first.kill("SIGTERM");
      expect((await once(first, "exit"))[0]).toBe(0);
      expect(Date.now() - begun).toBeLessThan(5_000);
      const ended = Date.now();
      await engine.fork(backends, 1);
      expect(await engine.ended("run")).toBe("completed");
      expect(Date.now() - ended).toBeLessThan(5_000);
      const writes = (await engine.journal()).filter((line) => line.startsWith("write"));
      expect(writes.length).toBe(200);
    });

    test("pause holds active work within two seconds, resume goes on, cancel ends the rest", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 400);
      const half = [objects.slice(0, 200), objects.slice(200)];
      engine.index.begin("run", half.map(replicate));
      const dispatcher = await engine.dispatch(await engine.drivers(...backends));
      await engine.fork(backends, 100);
      await until(async () => (await engine.journal()).length >= 60);
      engine.index.setState("run", "paused");
      await sleep(2_000);
      const held = (await engine.journal()).length;
      await sleep(1_500);
      expect((await engine.journal()).length).toBe(held);
      engine.index.setState("run", "running");
      await until(async () => (await engine.journal()).length >= held + 60);
      engine.index.setState("run", "cancelled");
      dispatcher.wake();
      await engine.ended("run");
      const ends = [...engine.index.outcomes.values()].map((end) => end.outcome);
      const writes = (await engine.journal()).filter((line) => line.startsWith("write"));
      expect(ends.length).toBe(400);
      expect(ends.filter((end) => end === "cancelled").length).toBeGreaterThan(0);
      expect(ends.filter((end) => end === "done").length).toBeGreaterThan(60);
      expect(ends.filter((end) => end === "done").length).toBeLessThanOrEqual(writes.length);
      expect(engine.index.doubled).toEqual([]);
    });

    test("a run survives the loss of everything in the queue", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 60);
      const parts = Array.from({ length: 6 }, (_, at) => objects.slice(at * 10, at * 10 + 10));
      engine.index.begin("run", parts.map(demote));
      const drivers = await engine.drivers(...backends);
      await engine.dispatch(drivers);
      await until(async () => (await engine.queue.queue(laneQueue("cold")).count()) === 6);
      for (const name of [indexQueue, ...backends.map(laneQueue)]) {
        await engine.queue.queue(name).obliterate({ force: true });
      }
      await engine.work(drivers);
      expect(await engine.ended("run")).toBe("completed");
      await expectOnly(engine, objects, "cold", "hot");
    });

    test("a thousand batches never fill the queue, and two runs share a lane", async () => {
      await using engine = await TestEngine.open(server.url);
      const objects = await storeOnHot(engine, 20);
      const batches = Array.from({ length: 500 }, (_, at) => replicate([objects[at % 20]]));
      engine.index.begin("first", batches);
      engine.index.begin("second", batches);
      const drivers = await engine.drivers(...backends);
      await engine.dispatch(drivers, { queuedPerLaneMax: 40 });
      const lane = engine.queue.queue(laneQueue("cold"));
      let deepest = 0;
      let both = 0;
      await engine.work(drivers);
      const ended = Promise.all([engine.ended("first"), engine.ended("second")]);
      const open = async () => (await engine.index.runs()).some((run) => run.state === "running");
      while (await open()) {
        const jobs = await lane.getJobs(["waiting", "active"], 0, 100);
        deepest = Math.max(deepest, jobs.length);
        if (new Set(jobs.map((job) => String(job?.data.runId))).size === 2) both += 1;
        await sleep(50);
      }
      expect(await ended).toEqual(["completed", "completed"]);
      expect(deepest).toBeLessThanOrEqual(40);
      expect(both).toBeGreaterThan(0);
    });
  });
}

/** What the first job of a run carries. */
async function someStep(engine: TestEngine) {
  engine.index.begin("run", [replicate(await storeOnHot(engine, 1))]);
  const [batch] = await engine.index.pendingBatches("run", "cold", 1);
  if (batch === undefined) throw new Error("no batch");
  return { ...(await stepDataOf(batch, engine.index)), step: "copy" };
}

function demote(objects: readonly ObjectRef[]) {
  return { verb: "demote", source: "hot", target: "cold", victim: "hot", objects } as const;
}

function replicate(objects: readonly (ObjectRef | undefined)[]) {
  const known = objects.filter((object) => object !== undefined);
  return {
    ...({ verb: "replicate", source: "hot", target: "cold", victim: null } as const),
    objects: known,
  };
}

/** Looks into the stores themselves. */
async function expectOnly(
  engine: TestEngine,
  objects: readonly ObjectRef[],
  there: string,
  gone: string,
): Promise<void> {
  const [on, off] = [await engine.stores.driver(there), await engine.stores.driver(gone)];
  for (const object of objects) {
    expect((await on.verify(object, "verified")).finding).toBe("present");
    expect(await off.stat(object)).toBeUndefined();
  }
}
