import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StartResult } from "#engine/schedules/start-policy.ts";
import {
  eventGapMs,
  eventPendingMaxMs,
  eventQuietMs,
  fruitlessWaitMs,
  TriggerWatch,
} from "#engine/schedules/trigger-watch.ts";
import { Turns } from "#engine/schedules/turns.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { TriggerEvent } from "#model/engine-event.ts";
import type { Suspension } from "#model/failure.ts";
import type { Run } from "#model/run.ts";
import type { PolicyScope } from "#policies/plan/narrow-draft.ts";
import { type PolicyTiming, type Trigger, triggerName } from "#policies/timing/policy-timing.ts";
import { sampleRun } from "../../api/sample-values.ts";
import { testBackend } from "../../policies/demo-backends.ts";

const usage: Trigger = { kind: "usage", backend: "hot", above: 0.85, until: 0.75 };
const origin = "trigger free-space: usage hot above 85%";

let index: ObjectIndex;
let clockMs: number;
let usedBytes: number;
let runs: Run[];
let starts: { scope: PolicyScope; origin: string }[];
let result: StartResult | undefined;
let suspensions: Suspension[];
let marks: Record<TriggerEvent, number>;
let timings: Map<string, PolicyTiming>;

beforeEach(async () => {
  index = await ObjectIndex.open(":memory:");
  clockMs = Date.parse("2026-05-01T12:00Z");
  usedBytes = 0;
  [runs, starts, suspensions, result] = [[], [], [], undefined];
  marks = { "object-added": 5, "copy-lost": -1, "backend-added": 0 };
  timings = new Map();
});
afterEach(() => index.close());

function triggeredBy(...triggers: readonly Trigger[]): void {
  timings.set("free-space", { zone: "UTC", schedule: undefined, triggers, windows: undefined });
}

/** A watch as a new process would make it: everything it knows is in the index. */
function watch(): TriggerWatch {
  return new TriggerWatch({
    starters: index.starters,
    timings: async () => timings,
    runs: async () => runs,
    suspensions: async () => suspensions,
    backends: async () => [
      testBackend({ id: 3, name: "hot", tier: "hot", usedBytes, capacityBytes: 1_000 }),
    ],
    mark: async (event) => marks[event],
    start: async (scope, from) => {
      starts.push({ scope, origin: from });
      if (result !== undefined) return result;
      const id = `run-${starts.length}`;
      runs = [{ ...sampleRun, id, origin: from, state: "running", endedAt: undefined }, ...runs];
      return { outcome: "started", runId: id };
    },
    now: () => new Date(clockMs),
    turns: new Turns(),
  });
}

function endRuns(done: number): void {
  runs = runs.map((run) => ({
    ...run,
    state: "completed",
    endedAt: "2026-05-01T12:00:00.000Z",
    progress: { ...run.progress, done },
  }));
}

async function checkAt(used: number): Promise<void> {
  usedBytes = used;
  await watch().check();
}

async function addedMore(watched: TriggerWatch): Promise<number | undefined> {
  marks["object-added"] += 10;
  watched.heard("object-added");
  return await watched.check();
}

async function stateOf(trigger: Trigger) {
  const all = await index.starters.all();
  return all.find(({ name }) => name === triggerName(trigger))?.state;
}

describe("a trigger on the usage of a backend", () => {
  test("starts at the high mark, and asks for what is above the low one", async () => {
    triggeredBy(usage);
    await checkAt(849);
    expect(starts).toEqual([]);
    await checkAt(850);
    expect(starts).toEqual([
      { scope: { policy: "free-space", free: { backend: 3, bytes: 100 } }, origin },
    ]);
    expect((await stateOf(usage))?.last).toMatchObject({
      outcome: "started",
      runId: "run-1",
      message: "hot is 85.0% full: 100 B have to go until it is at 75.0%",
    });
  });

  test("goes on until the low mark, one run at a time, and rests until the high mark", async () => {
    triggeredBy(usage);
    await checkAt(900);
    await checkAt(880);
    expect(starts).toHaveLength(1);
    endRuns(3);
    await checkAt(800);
    expect(starts.map(({ scope }) => scope.free?.bytes)).toEqual([150, 50]);
    endRuns(3);
    await checkAt(750);
    await checkAt(840);
    expect(starts).toHaveLength(2);
    expect((await stateOf(usage))?.active).toBeUndefined();
    await checkAt(850);
    expect(starts).toHaveLength(3);
  });

  test("waits longer and longer while its starts free nothing", async () => {
    triggeredBy(usage);
    result = { outcome: "nothing-to-do" };
    const began = clockMs;
    const at: number[] = [];
    while (clockMs < began + 8 * fruitlessWaitMs) {
      const before = starts.length;
      await checkAt(900);
      if (starts.length > before) at.push((clockMs - began) / fruitlessWaitMs);
      clockMs += fruitlessWaitMs / 4;
    }
    expect(at).toEqual([0, 1, 3, 7]);
  });

  test("starts nothing while the policy is suspended or disabled, and then goes on", async () => {
    triggeredBy(usage);
    suspensions = [
      { policy: "free-space", since: "2026-05-01", failed: 9, outcomes: 10, message: "90% failed" },
    ];
    await checkAt(900);
    expect(starts).toEqual([]);
    expect((await stateOf(usage))?.active).toBe(true);
    suspensions = [];
    await checkAt(800);
    expect(starts).toHaveLength(1);
  });

  test("is forgotten when the policy no longer has it", async () => {
    triggeredBy(usage);
    await checkAt(900);
    triggeredBy({ kind: "event", event: "copy-lost" });
    await checkAt(900);
    expect((await index.starters.all()).map(({ name }) => name)).toEqual(["copy-lost"]);
  });
});

describe("a trigger on an event", () => {
  const added: Trigger = { kind: "event", event: "object-added" };

  test("starts once it is quiet after the event, not by what was there before", async () => {
    triggeredBy(added);
    const watched = watch();
    expect(await watched.check()).toBeUndefined();
    expect(await addedMore(watched)).toBe(eventQuietMs);
    clockMs += eventQuietMs - 1;
    expect(await addedMore(watched)).toBe(eventQuietMs);
    expect((await stateOf(added))?.active).toBe(true);
    expect(starts).toEqual([]);
    clockMs += eventQuietMs;
    await watched.check();
    await watched.check();
    expect(starts).toEqual([
      { scope: { policy: "free-space" }, origin: "trigger free-space: object-added" },
    ]);
    expect((await stateOf(added))?.last?.message).toBe("20 objects were added");
    expect((await stateOf(added))?.active).toBeUndefined();
  });

  test("starts in the end where it never gets quiet, and never in a storm", async () => {
    triggeredBy(added);
    const watched = watch();
    await watched.check();
    const began = clockMs;
    while (starts.length < 2) {
      await addedMore(watched);
      endRuns(1);
      clockMs += 1_000;
    }
    expect(clockMs - began).toBeGreaterThanOrEqual(2 * eventPendingMaxMs);
  });

  test("keeps the shortest time between two starts", async () => {
    triggeredBy(added);
    const watched = watch();
    await watched.check();
    const began = clockMs;
    while (starts.length < 2) {
      if (starts.length === 0 || marks["object-added"] < 30) await addedMore(watched);
      clockMs += eventQuietMs;
      await watched.check();
      endRuns(1);
    }
    expect(clockMs - began).toBeGreaterThanOrEqual(eventGapMs);
  });

  test("that came while no process watched, or during a run, is not lost", async () => {
    triggeredBy({ kind: "event", event: "copy-lost" }, { kind: "event", event: "backend-added" });
    await watch().check();
    marks["copy-lost"] = 7;
    runs = [{ ...sampleRun, origin: "schedule free-space", state: "running", endedAt: undefined }];
    const restarted = watch();
    await restarted.check();
    clockMs += eventQuietMs;
    await restarted.check();
    expect(starts).toEqual([]);
    endRuns(0);
    await restarted.check();
    expect(starts.map((start) => start.origin)).toEqual(["trigger free-space: copy-lost"]);
  });

  test("is dropped, not kept for later, while the policy is disabled", async () => {
    triggeredBy(added);
    const watched = watch();
    await watched.check();
    const disabled = { reason: "audit", by: "ana", at: "2026-05-01T12:00:00.000Z" };
    const state = { identity: "none", cursor: disabled.at, missed: 0 };
    const starter = { policy: "free-space", name: "schedule" };
    await index.starters.put({ ...starter, state: { ...state, disabled } }, [], new Date(clockMs));
    await addedMore(watched);
    await index.starters.put({ ...starter, state }, [], new Date(clockMs));
    clockMs += 10 * eventQuietMs;
    await watched.check();
    expect(starts).toEqual([]);
  });
});
