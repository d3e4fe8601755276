import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "#engine/schedules/scheduler.ts";
import type { StartResult } from "#engine/schedules/start-policy.ts";
import { tickWait } from "#engine/schedules/tick-wait.ts";
import { Turns } from "#engine/schedules/turns.ts";
import { ObjectIndex } from "#index/object-index.ts";
import type { Suspension } from "#model/failure.ts";
import type { Run } from "#model/run.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import { jitterOf, type Overlap, type Schedule } from "#policies/timing/schedule.ts";
import { sampleRun } from "../../api/sample-values.ts";

let index: ObjectIndex;
let now: Date;
let runs: Run[];
let starts: string[];
let cancelled: string[];
let result: StartResult | undefined;
let suspensions: Suspension[];
let timings: Map<string, PolicyTiming>;

beforeEach(async () => {
  index = await ObjectIndex.open(":memory:");
  at("2026-05-01T12:00");
  runs = [];
  starts = [];
  cancelled = [];
  result = undefined;
  suspensions = [];
  timings = new Map();
});
afterEach(() => index.close());

function at(time: string): void {
  now = new Date(`${time}Z`);
}

function nightly(more: Partial<Schedule> = {}): void {
  const schedule: Schedule = {
    timing: { kind: "cron", pattern: "0 2 * * *" },
    zone: "UTC",
    jitterMs: 0,
    catchUpMs: undefined,
    overlap: "skip",
    ...more,
  };
  timings.set("cool", { zone: "UTC", schedule, triggers: [], windows: undefined });
}

/** A scheduler as a new process would make it: everything it knows is in the index. */
function scheduler(): Scheduler {
  return new Scheduler({
    starters: index.starters,
    timings: async () => timings,
    runs: async () => runs,
    suspensions: async () => suspensions,
    turns: new Turns(),
    cancel: async (id) => {
      cancelled.push(id);
      runs = runs.map((run) => (run.id === id ? { ...run, state: "cancelled" } : run));
    },
    start: async ({ policy }, origin) => {
      starts.push(now.toISOString());
      if (result !== undefined) return result;
      const id = `run-${starts.length}-${policy}`;
      const state = "running" as const;
      const createdAt = now.toISOString();
      runs = [{ ...sampleRun, id, origin, state, createdAt, endedAt: undefined }, ...runs];
      return { outcome: "started", runId: id };
    },
    now: () => now,
  });
}

function endRuns(): void {
  runs = runs.map((run) => ({ ...run, state: "completed", endedAt: now.toISOString() }));
}

async function state() {
  return (await index.starters.all()).find(({ policy }) => policy === "cool")?.state;
}

async function ledger(): Promise<readonly unknown[]> {
  const found = [];
  const text = "SELECT reason FROM ledger WHERE kind = 'schedule' ORDER BY entry_id";
  for await (const { columns } of index.query(text)) found.push(...Array.from(columns[0] ?? []));
  return found;
}

describe("a schedule", () => {
  test("begins when it is first seen, and starts its policy at each time, once", async () => {
    nightly();
    await scheduler().tick();
    expect(starts).toEqual([]);
    at("2026-05-02T02:00");
    const first = scheduler();
    await Promise.all([first.tick(), first.tick()]);
    await scheduler().tick();
    expect(starts).toEqual(["2026-05-02T02:00:00.000Z"]);
    expect((await state())?.last).toEqual({
      occurrence: "2026-05-02T02:00:00.000Z",
      at: "2026-05-02T02:00:00.000Z",
      outcome: "started",
      runId: "run-1-cool",
    });
    expect(await ledger()).toEqual(["started"]);
  });

  test("goes on where a clock was set that had been a year ahead", async () => {
    nightly();
    at("2027-05-01T12:00");
    await scheduler().tick();
    for (const night of ["2027-05-02T02:00", "2027-05-03T02:00"]) {
      at(night);
      await scheduler().tick();
      endRuns();
    }
    at("2026-05-01T12:00");
    await scheduler().tick();
    at("2026-05-02T02:00");
    await scheduler().tick();
    expect(starts.slice(2)).toEqual(["2026-05-02T02:00:00.000Z"]);
  });

  test("starts nothing twice where a clock goes back by minutes", async () => {
    nightly();
    await scheduler().tick();
    for (const time of ["02:00", "01:55", "02:00"]) {
      at(`2026-05-02T${time}`);
      await scheduler().tick();
    }
    expect(starts).toEqual(["2026-05-02T02:00:00.000Z"]);
  });

  test("that nobody could start in time is missed: counted, noted, not run", async () => {
    nightly();
    await scheduler().tick();
    at("2026-05-05T09:00");
    await scheduler().tick();
    expect(starts).toEqual([]);
    expect(await state()).toMatchObject({ missed: 4, last: { outcome: "missed" } });
    expect(await ledger()).toEqual(["missed"]);
  });

  test("with catchUp runs once after a downtime, and counts what is too old", async () => {
    nightly({ catchUpMs: 12 * 3_600_000 });
    await scheduler().tick();
    at("2026-05-05T09:00");
    await scheduler().tick();
    await scheduler().tick();
    expect(starts).toHaveLength(1);
    expect(await state()).toMatchObject({
      missed: 3,
      last: { outcome: "started", occurrence: "2026-05-05T02:00:00.000Z" },
    });
    expect(await ledger()).toEqual(["missed", "started"]);
  });

  test("that is changed begins anew: times it never had are not missed", async () => {
    nightly();
    await scheduler().tick();
    nightly({ timing: { kind: "every", everyMs: 3_600_000 } });
    at("2026-05-02T11:30");
    await scheduler().tick();
    expect(await state()).toMatchObject({ missed: 0 });
    at("2026-05-02T12:00");
    await scheduler().tick();
    expect(starts).toEqual(["2026-05-02T12:00:00.000Z"]);
  });

  test("is forgotten when its policy goes", async () => {
    nightly();
    await scheduler().tick();
    timings.clear();
    await scheduler().tick();
    expect(await state()).toBeUndefined();
  });

  test("keeps the reason when a guard refuses, and tries again at its next time", async () => {
    nightly();
    await scheduler().tick();
    result = { outcome: "refused", message: "too many objects" };
    at("2026-05-02T02:00");
    await scheduler().tick();
    expect((await state())?.last).toMatchObject({
      outcome: "refused",
      message: "too many objects",
    });
    result = undefined;
    at("2026-05-03T02:00");
    await scheduler().tick();
    expect((await state())?.last).toMatchObject({ outcome: "started" });
  });

  test("does not start twice when the process died between the start and its note", async () => {
    nightly();
    await scheduler().tick();
    at("2026-05-02T02:00");
    const origin = "schedule cool";
    const createdAt = "2026-05-02T02:00:00.500Z";
    runs = [{ ...sampleRun, id: "run-9", origin, state: "running", createdAt, endedAt: undefined }];
    at("2026-05-02T02:00:20");
    await scheduler().tick();
    expect(starts).toEqual([]);
    expect((await state())?.last).toMatchObject({ outcome: "started", runId: "run-9" });
  });
});

async function secondNight(overlap: Overlap): Promise<void> {
  nightly({ overlap });
  await scheduler().tick();
  at("2026-05-02T02:00");
  await scheduler().tick();
  at("2026-05-03T02:00");
  await scheduler().tick();
}

describe("while the run before is under way", () => {
  test("skip: the occurrence is skipped, with the run that is in the way", async () => {
    await secondNight("skip");
    expect(starts).toHaveLength(1);
    expect((await state())?.last).toMatchObject({ outcome: "skipped" });
    expect((await state())?.last?.message).toContain("run-1-cool");
    endRuns();
    await scheduler().tick();
    expect(starts).toHaveLength(1);
  });

  test("queue-one: one occurrence waits and starts when the run has ended", async () => {
    await secondNight("queue-one");
    expect(await state()).toMatchObject({ waiting: "2026-05-03T02:00:00.000Z" });
    at("2026-05-04T02:00");
    await scheduler().tick();
    expect(starts).toHaveLength(1);
    endRuns();
    at("2026-05-04T05:00");
    await scheduler().tick();
    await scheduler().tick();
    expect(starts).toEqual(["2026-05-02T02:00:00.000Z", "2026-05-04T05:00:00.000Z"]);
    expect((await state())?.waiting).toBeUndefined();
    expect(await ledger()).toEqual(["started", "waiting", "waiting", "started"]);
  });

  test("cancel-previous: the run is cancelled, and the next starts when it has ended", async () => {
    await secondNight("cancel-previous");
    expect(cancelled).toEqual(["run-1-cool"]);
    expect(starts).toHaveLength(1);
    endRuns();
    await scheduler().tick();
  });
});

test("a suspended policy does not start; the schedule says so, and one that waits goes on waiting", async () => {
  await secondNight("queue-one");
  const since = "2026-05-03T02:00:00.000Z";
  suspensions = [{ policy: "cool", since, failed: 9, outcomes: 10, message: "9 of 10 failed" }];
  endRuns();
  await scheduler().tick();
  at("2026-05-04T02:00");
  await scheduler().tick();
  expect(starts).toHaveLength(1);
  expect((await state())?.last).toMatchObject({ outcome: "skipped" });
  expect((await state())?.last?.message).toContain("cool is suspended since 2026-05-03T02:00");
  await expect(scheduler().runNow("cool")).rejects.toMatchObject({ code: "CONFLICT" });
  suspensions = [];
  await scheduler().tick();
  expect(starts).toHaveLength(2);
});

test("a start that waited is not repeated when the process died before it could say so", async () => {
  await secondNight("queue-one");
  endRuns();
  const createdAt = "2026-05-03T05:00:00.000Z";
  const run = { ...sampleRun, id: "run-9", origin: "schedule cool", state: "completed" as const };
  runs = [{ ...run, createdAt, endedAt: createdAt }, ...runs];
  at("2026-05-03T06:00");
  await scheduler().tick();
  expect(starts).toHaveLength(1);
  expect((await state())?.last).toMatchObject({ outcome: "started", runId: "run-9" });
  expect((await state())?.waiting).toBeUndefined();
});

describe("a person", () => {
  test("disables a schedule with a reason; what is due meanwhile is neither run nor missed", async () => {
    nightly();
    await scheduler().tick();
    await scheduler().setEnabled("cool", false, "quarter close", "ana@desk");
    at("2026-05-05T02:00");
    await scheduler().tick();
    expect(starts).toEqual([]);
    expect((await state())?.disabled).toEqual({
      reason: "quarter close",
      by: "ana@desk",
      at: "2026-05-01T12:00:00.000Z",
    });
    at("2026-05-05T12:00");
    await scheduler().setEnabled("cool", true, "done", "ana@desk");
    await scheduler().tick();
    expect(await state()).toMatchObject({ missed: 0 });
    expect((await state())?.disabled).toBeUndefined();
    at("2026-05-06T02:00");
    await scheduler().tick();
    expect(starts).toEqual(["2026-05-06T02:00:00.000Z"]);
    expect(await ledger()).toEqual(["disabled", "enabled", "started"]);
  });

  test("starts a policy now, but not beside a run of it", async () => {
    nightly();
    expect(await scheduler().runNow("cool")).toMatchObject({ outcome: "started" });
    await expect(scheduler().runNow("cool")).rejects.toMatchObject({ code: "CONFLICT" });
    await expect(scheduler().runNow("warm")).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await state())?.last?.runId).toBe("run-1-cool");
  });
});

test("a tick waits for the jitter of its occurrence, and for its time when it comes early", () => {
  nightly({ jitterMs: 600_000 });
  const schedule = timings.get("cool")?.schedule;
  if (schedule === undefined) throw new Error("no schedule");
  const occurrence = new Date("2026-05-02T02:00Z");
  const jitter = jitterOf("cool", occurrence, schedule);
  expect(tickWait("cool", schedule, occurrence)).toBe(jitter);
  expect(tickWait("cool", schedule, new Date(occurrence.getTime() - 20))).toBe(jitter + 20);
  expect(tickWait("cool", schedule, new Date(occurrence.getTime() + jitter))).toBeUndefined();
  expect(tickWait("cool", schedule, new Date("2026-05-02T01:00Z"))).toBeUndefined();
});
