import { expect, test } from "vitest";
import { runSchedule } from "./run-schedule.ts";

test("the same seed gives the same schedule, event by event", async () => {
  const first = await runSchedule({ seed: 16, trace: true });
  const second = await runSchedule({ seed: 16, trace: true });
  expect(first.trace.length).toBeGreaterThan(100);
  expect(second.trace).toEqual(first.trace);
  expect(second.events).toBe(first.events);
});

test("whatever goes wrong, the engine keeps its promises on the real index", async () => {
  let removals = 0;
  for (let seed = 1; seed <= 3; seed += 1) {
    const result = await runSchedule({ seed, index: "real" });
    expect(result.violations, `seed ${seed}`).toEqual([]);
    removals += result.removals;
  }
  expect(removals).toBeGreaterThan(0);
});

test.for([
  [11, "a batch that was cancelled while its lost flow was looked for never ended"],
  [5572, "a removal without an answer was reported with the error of its next try"],
  [6622, "a cancel gave up a removal that happened all the same"],
  [21181, "a flow made anew did not wait for a removal that the one before had under way"],
  ...[6521, 6620, 6706].map((seed) => [seed, "found while the simulation was built"] as const),
] as const)("seed %d keeps every promise, at which once %s", async ([seed]) => {
  const { violations } = await runSchedule({ seed, index: "model" });
  expect(violations).toEqual([]);
});
