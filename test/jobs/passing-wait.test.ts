import { expect, onTestFinished, test, vi } from "vitest";
import { PassingWait } from "#jobs/passing-wait.ts";

function waiting() {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const told: string[] = [];
  const wait = new PassingWait("folder", {
    onWait: ({ message }) => told.push(message.replace(/^.*: /, "")),
    patienceMs: 60_000,
  });
  return { wait, told };
}

test("each state that is waited for is told of, once, and only when the wait is long", () => {
  const { wait, told } = waiting();
  expect(wait.goesOn("it is shutting down")).toBe(true);
  expect(told).toEqual([]);
  vi.setSystemTime(Date.now() + 1_000);
  for (const state of ["it is shutting down", "it is shutting down", "it starts up"]) {
    expect(wait.goesOn(state)).toBe(true);
  }
  for (const pid of [12, 13]) expect(wait.goesOn(`[${pid}] it recovers`)).toBe(true);
  expect(told).toEqual(["it is shutting down", "it starts up", "[12] it recovers"]);
  vi.setSystemTime(Date.now() + 59_000);
  expect(wait.goesOn("it starts up")).toBe(false);
});
