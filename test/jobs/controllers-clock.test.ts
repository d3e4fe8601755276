import { expect, test } from "vitest";
import { ControllersClock } from "#jobs/controllers-clock.ts";

const minute = 60_000;
const start = Date.parse("2026-03-01T12:00:00Z");

test("before it heard anything it shows no time: removals wait, and do not fail", () => {
  const { clock } = machine(5 * minute);
  const unheard = expect.objectContaining({ code: "UNAVAILABLE", retryable: true });
  expect(() => clock.latest()).toThrow(unheard);
  expect(clock.aheadMs).toBeUndefined();
});

test.for([5 * minute, -5 * minute])(
  "it shows the controller's time where this machine is %d ms ahead",
  (aheadMs) => {
    const { clock, pass, there } = machine(aheadMs);
    const asked = clock.asking();
    clock.hear(there(), asked);
    pass(minute);
    expect(clock.latest()).toEqual(new Date(start + minute));
    expect(clock.aheadMs).toBe(aheadMs);
  },
);

test("an answer that was long on its way makes it late, never early, and no clock wrong", () => {
  const { clock, pass, there } = machine(0);
  const asked = clock.asking();
  const told = there();
  pass(20_000);
  clock.hear(told, asked);
  expect(clock.latest()).toEqual(new Date(start + 20_000));
  const again = clock.asking();
  pass(20_000);
  clock.hear(there(), again);
  expect(clock.latest()).toEqual(new Date(start + 60_000));
  expect(Math.abs(clock.aheadMs ?? NaN)).toBe(0);
});

test("a clock that is set back, and one that stood still in sleep, do not lengthen a permit", () => {
  const { clock, pass, there, set } = machine(0);
  clock.hear(there(), clock.asking());
  pass(minute);
  set(-3 * minute, 0);
  expect(clock.latest()).toEqual(new Date(start + minute));
  set(3 * minute, 0);
  // Asleep: the clock on the wall goes on, the other one does not.
  set(10 * minute, 0);
  expect(clock.latest()).toEqual(new Date(start + 11 * minute));
});

test("a machine that was held still, both of its clocks with it, goes by the queue's server", () => {
  const { clock, pass, there } = machine(minute);
  const queueMs = start + 7 * minute;
  clock.hear(there(), clock.asking(queueMs));
  pass(minute);
  expect(clock.latest(queueMs + minute)).toEqual(new Date(start + minute));
  expect(clock.latest(queueMs + 60 * minute)).toEqual(new Date(start + 60 * minute));
  // Its own clocks count where they say more, or where the server was not heard before.
  expect(clock.latest(queueMs)).toEqual(new Date(start + minute));
  clock.hear(there(), clock.asking());
  expect(clock.latest(queueMs + 60 * minute)).toEqual(new Date(start + minute));
});

test("what is no time is not heard", () => {
  const { clock } = machine(minute);
  clock.hear("soon", clock.asking());
  expect(() => clock.latest()).toThrow("has not said");
});

/** A machine whose clock is so far ahead of the controller's. */
function machine(aheadMs: number) {
  let trueMs = start;
  let wall = start + aheadMs;
  let monotonic = 1_000;
  const set = (wallMs: number, monotonicMs: number) => {
    wall += wallMs;
    monotonic += monotonicMs;
  };
  return {
    clock: new ControllersClock({ wallMs: () => wall, monotonicMs: () => monotonic }),
    set,
    pass: (ms: number) => {
      trueMs += ms;
      set(ms, ms);
    },
    there: () => new Date(trueMs).toISOString(),
  };
}
