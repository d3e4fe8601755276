import { expect, test } from "vitest";
import { StallWatch } from "#cli/stall-watch.ts";
import type { Run } from "#model/run.ts";
import { sampleEngine } from "../api/sample-engine.ts";
import { sampleRun } from "../api/sample-values.ts";

const running: Run = {
  ...sampleRun,
  state: "running",
  endedAt: undefined,
  progress: { ...sampleRun.progress, remaining: 1 },
};

test("who watches hears again when a run waits for something else, not when only a number changes", async () => {
  let now = 0;
  const waits = [
    { reason: "role", message: "no worker" },
    { reason: "outage", message: "webhook ops cannot be reached, 1 batch" },
    { reason: "outage", message: "webhook ops cannot be reached, 2 batches" },
  ] as const;
  const api = sampleEngine();
  const why: typeof api.why = async (reference) => {
    const report = await api.why(reference);
    const [waiting] = report.waiting;
    const wait = waits[now / 5_000 - 1];
    return { ...report, waiting: waiting && wait ? [{ ...waiting, wait }] : [] };
  };
  const clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    sleep: () => Promise.resolve(),
  };
  const watch = new StallWatch({ ...api, why }, clock);
  const heard: (string | undefined)[] = [];
  for (now = 0; now <= 15_000; now += 5_000) heard.push((await watch.look(running)).reason);
  const [, role, outage] = [undefined, ...waits.map(({ message }) => `waiting: ${message}`)];
  expect(heard).toEqual([undefined, role, outage, undefined]);
});

test("who watches a run whose counts stand still hears once why, and how many bytes are on the way", async () => {
  let now = 0;
  let asked = 0;
  const api = sampleEngine();
  const why: typeof api.why = async (reference) => {
    asked += 1;
    const report = await api.why(reference);
    const step = { runId: "run-1", batch: 0, step: "copy", lane: "cold", node: "n", total: 1 };
    const active = [{ ...step, since: undefined, lost: false, done: 0, bytes: asked * 1_000 }];
    return { ...report, active };
  };
  const clock = {
    now: () => new Date(now),
    monotonicMs: () => now,
    sleep: () => Promise.resolve(),
  };
  const watch = new StallWatch({ ...api, why }, clock);
  const look = async (ms: number, run = running) => {
    now = ms;
    return watch.look(run);
  };
  expect(await look(0)).toEqual({ reason: undefined, moving: 0 });
  expect(await look(4_000)).toEqual({ reason: undefined, moving: 0 });
  const first = await look(5_000);
  expect(first.reason).toMatch(/^waiting: /);
  expect(first.moving).toBe(1_000);
  expect(await look(6_000)).toEqual({ reason: undefined, moving: 1_000 });
  expect(await look(8_000)).toEqual({ reason: undefined, moving: 2_000 });
  const done = { ...running, progress: { ...running.progress, bytesDone: 90 } };
  expect(await look(9_000, done)).toEqual({ reason: undefined, moving: 0 });
  expect(asked).toBe(2);
});
