import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ObjectIndex } from "#index/object-index.ts";
import { startDispatcher, type Dispatcher } from "#jobs/dispatcher.ts";
import { openQueueStore } from "#jobs/open-queue-store.ts";
import { controlOf } from "#jobs/step-controls.ts";
import { startWorker } from "#jobs/worker.ts";
import type { PolicyWords } from "#model/policy-word.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import { type QueueServer, queueServers } from "../conformance/queue-servers.ts";
import { nodeReport, until } from "../conformance/test-engine.ts";
import { makePlan, type TestAction } from "../index/make-plan.ts";
import { openIndex } from "../index/open-index.ts";
import { LocalStores } from "./local-stores.ts";

const names = ["hot", "warm", "cold"] as const;
const [hot, warm, cold] = [0, 1, 2] as const;
let server: QueueServer;
let opened = 0;
beforeAll(async () => {
  server = await queueServers[0].start();
});
afterAll(async () => {
  await server.stop();
});

describe("runs on the real index", () => {
  test("replicate, demote and evict in one run end completed, and the stores agree", async () => {
    const house = await open();
    const objects = await house.store(60, ["hot"]);
    const both = await house.store(20, ["hot", "warm"]);
    const run = await house.apply([
      ...objects.slice(0, 20).map((object) => ({ ...action("replicate", object), ...to(cold) })),
      ...objects
        .slice(20)
        .map((object) => ({ ...action("demote", object), ...to(cold), victim: hot })),
      ...both.map((object) => ({ ...action("evict", object), victim: hot })),
    ]);
    expect(await house.ended(run)).toMatchObject({
      state: "completed",
      progress: { done: 80, failed: 0, skipped: 0 },
    });
    expect(await house.places(objects.slice(0, 20))).toEqual(many(20, "hot cold"));
    expect(await house.places(objects.slice(20))).toEqual(many(40, "cold"));
    expect(await house.places(both)).toEqual(many(20, "warm"));
    expect(await house.believed()).toEqual(await house.places([...objects, ...both]));
    expect(house.errors).toEqual([]);
  });

  test("two runs that remove the last two copies leave every object one, and say so", async () => {
    const house = await open();
    const objects = await house.store(200, ["hot", "cold"]);
    const one = await house.apply(
      objects.map((object) => ({ ...action("evict", object), victim: hot })),
    );
    const two = await house.apply(
      objects.toReversed().map((object) => ({ ...action("evict", object), victim: cold })),
    );
    const [first, second] = [await house.ended(one), await house.ended(two)];
    expect(first.progress.done + second.progress.done).toBe(200);
    expect(first.progress.skipped + second.progress.skipped).toBe(200);
    const places = await house.places(objects);
    expect(places.every((place) => place === "hot" || place === "cold")).toBe(true);
    expect(await house.believed()).toEqual(places);
  });

  test("an object whose only other copy turns out corrupt keeps the one it has", async () => {
    const house = await open();
    const [object] = await house.store(1, ["hot", "cold"], new Date(Date.now() - 86_400_000));
    if (object === undefined) throw new Error("no object");
    const copy = await (await house.stores.driver("cold")).stat(object);
    if (copy !== undefined) await house.stores.damage("cold", copy);
    const run = await house.apply([{ ...action("evict", object), victim: hot }]);
    expect(await house.ended(run)).toMatchObject({ state: "failed", progress: { failed: 1 } });
    expect(await house.places([object])).toEqual(["hot cold"]);
    expect(await house.believed()).toEqual(["hot"]);
  });

  test("a cancelled run ends with an outcome for every action", async () => {
    const house = await open();
    const objects = await house.store(100, ["hot"]);
    const run = await house.apply(
      // Single batches, so that many are pending when the cancel comes.
      objects.map((object, at) => ({
        ...action("replicate", object),
        ...to(at % 2 === 0 ? cold : warm),
      })),
    );
    await house.index.setRunState(run.id, "cancelled", new Date());
    house.dispatcher.wake();
    const { state, progress } = await house.ended(run);
    expect(state).toBe("cancelled");
    expect(progress.done + progress.cancelled).toBe(100);
    expect(progress.remaining).toBe(0);
  });

  test("permits that no worker ever took end with their cancelled run at once", async () => {
    const house = await open({ works: false });
    const objects = await house.store(5, ["hot", "cold"]);
    const run = await house.apply(
      objects.map((object) => ({ ...action("evict", object), victim: hot })),
    );
    await until(async () => (await house.permits()) === 5);
    const cancelledAt = performance.now();
    await house.index.setRunState(run.id, "cancelled", new Date());
    house.dispatcher.wake();
    expect(await house.ended(run)).toMatchObject({ progress: { cancelled: 5 } });
    // A worker that was lost with its job is given 40 seconds to end what it began.
    expect(performance.now() - cancelledAt).toBeLessThan(10_000);
    expect(await house.places(objects)).toEqual(many(5, "hot cold"));
  });

  test("tombstones need no worker", async () => {
    const house = await open();
    const objects = await house.store(5, ["hot"]);
    const run = await house.apply(objects.map((object) => action("tombstone", object)));
    expect(await house.ended(run)).toMatchObject({ state: "completed", progress: { done: 5 } });
  });
});

type Stored = ObjectRef & { readonly objectId: number };

class House {
  readonly index: ObjectIndex;
  readonly folder: string;
  readonly stores: LocalStores;
  readonly dispatcher: Dispatcher;
  readonly errors: readonly EngineError[];
  #made = 0;

  constructor(
    index: ObjectIndex,
    folder: string,
    stores: LocalStores,
    dispatcher: Dispatcher,
    errors: readonly EngineError[],
  ) {
    this.index = index;
    this.folder = folder;
    this.stores = stores;
    this.dispatcher = dispatcher;
    this.errors = errors;
  }

  /** New objects with intact copies on these backends. */
  async store(
    count: number,
    backends: readonly string[],
    checkedAt = new Date(),
  ): Promise<readonly Stored[]> {
    const from = this.#made;
    this.#made += count;
    const objects = [];
    for (let at = from; at < from + count; at += 1) {
      const copies = [];
      let ref: ObjectRef | undefined;
      for (const backend of backends) {
        const { object, copy } = await this.stores.put(backend, Buffer.from(`object ${at}`));
        ref = object;
        copies.push({
          backend,
          copy,
          state: "present",
          confidence: "verified",
          checkedAt,
        } as const);
      }
      if (ref === undefined) throw new Error("no backend");
      const facts = { type: undefined, collection: undefined, owner: undefined, tags: [] };
      const times = { created: undefined, modified: undefined };
      objects.push({ ...ref, names: [`/${at}`], ...facts, ...times, copies });
    }
    await this.index.putObjects(objects, new Date());
    await using session = await this.index.session();
    const rows = await session.rows({
      text: "SELECT object_id FROM object ORDER BY object_id",
      parameters: [],
    });
    return objects.map((object, at) => ({
      cid: object.cid,
      size: object.size,
      profile: object.profile,
      objectId: Number(rows[from + at]?.["object_id"]),
    }));
  }

  async apply(actions: readonly TestAction[]): Promise<Run> {
    const run = await this.index.beginRun(
      await makePlan(this.index, this.folder, actions),
      new Date(),
    );
    this.dispatcher.wake();
    return run;
  }

  async permits(): Promise<number> {
    await using session = await this.index.session();
    const text = "SELECT count(*) AS count FROM ledger WHERE kind = 'permit'";
    return Number((await session.rows({ text, parameters: [] }))[0]?.["count"]);
  }

  async ended({ id }: Run): Promise<Run> {
    let run: Run | undefined;
    await until(async () => {
      run = await this.index.run(id);
      return run?.endedAt !== undefined;
    }, 120_000);
    if (run === undefined) throw new Error("no run");
    return run;
  }

  /** Where the objects really are. */
  async places(objects: readonly ObjectRef[]): Promise<readonly string[]> {
    const places = [];
    for (const object of objects) {
      const on = [];
      for (const name of names) {
        const driver = await this.stores.driver(name);
        if ((await driver.stat(object)) !== undefined) on.push(name);
      }
      places.push(on.join(" "));
    }
    return places;
  }

  /** Where the index believes them to be, by object id. */
  async believed(): Promise<readonly string[]> {
    await using session = await this.index.session();
    const rows = await session.rows({
      text: `SELECT string_agg(backend, ' ' ORDER BY backend_id) AS places FROM copy
             WHERE state = 'present' GROUP BY object_id ORDER BY object_id`,
      parameters: [],
    });
    return rows.map((row) => String(row["places"]));
  }
}

async function open({ works = true } = {}): Promise<House> {
  opened += 1;
  const namespace = `index_${process.pid}_${opened}`;
  const { index, folder } = await openIndex(names);
  const stores = await LocalStores.open();
  const queue = await openQueueStore({ url: server.url, namespace });
  const drivers = new Map<string, Driver>();
  for (const name of names) drivers.set(name, await stores.driver(name));
  const errors: EngineError[] = [];
  const onError = (error: EngineError) => errors.push(error);
  const dispatcher = await startDispatcher({
    store: queue,
    index,
    drivers,
    askPolicies: saysNothing,
    onError,
    repairEveryMs: 500,
  });
  const worker = await startWorker({
    store: queue,
    node: nodeReport(works ? names : []),
    drivers: works ? drivers : new Map<string, Driver>(),
    onError,
    api: {
      segment: (planCid, from, to) => index.segment(planCid, from, to),
      heartbeat: async () => ({ at: new Date().toISOString() }),
      stepControls: async (steps) => {
        const runs = await Promise.all(steps.map(({ runId }) => index.run(runId)));
        return runs.map((run) => ({ control: controlOf(run?.state ?? "cancelled") }));
      },
    },
  });
  onTestFinished(async () => {
    await worker.close();
    await dispatcher.close();
    await queue.close();
    await stores[Symbol.asyncDispose]();
  });
  return new House(index, folder, stores, dispatcher, errors);
}

async function saysNothing(): Promise<PolicyWords> {
  return new Map();
}

function action(verb: TestAction["verb"], object: Stored): TestAction {
  return { verb, object: object.objectId };
}

function to(target: number) {
  return { source: hot, target };
}

function many(count: number, place: string): readonly string[] {
  return Array.from({ length: count }, () => place);
}
