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
  for (let seed = 1; seed <= 8; seed += 1) {
    const result = await runSchedule({ seed });
    expect(result.violations, `seed ${seed}`).toEqual([]);
    removals += result.removals;
  }
  expect(removals).toBeGreaterThan(5);
});
