import { expect, test } from "vitest";
import { ForwardSteps } from "#jobs/forward-steps.ts";

const minute = 60_000;
const hour = 60 * minute;

test("time that passes, and a clock that is set back, hold nothing", () => {
  const { steps, pass, set } = controller();
  for (let turn = 0; turn < 100; turn += 1) {
    pass(minute);
    expect(steps.heldMs()).toBe(0);
  }
  set(-3 * hour);
  expect(steps.heldMs()).toBe(0);
});

test("a step forward holds permits for as long as one may be in use", () => {
  const { steps, pass, set, told } = controller();
  pass(10 * minute);
  set(15 * minute);
  expect(steps.heldMs()).toBe(hour);
  pass(59 * minute);
  expect(steps.heldMs()).toBe(minute);
  pass(minute);
  expect(steps.heldMs()).toBe(0);
  expect(told).toEqual([15 * minute]);
});

test("setting the clock back again neither ends nor lengthens it", () => {
  const { steps, pass, set } = controller();
  set(24 * hour);
  steps.heldMs();
  set(-24 * hour);
  pass(30 * minute);
  expect(steps.heldMs()).toBe(30 * minute);
  pass(30 * minute);
  expect(steps.heldMs()).toBe(0);
});

test("small steps count together, unless permits from before them have run out", () => {
  const quick = controller();
  for (let turn = 0; turn < 2; turn += 1) {
    quick.set(minute);
    quick.pass(50 * minute);
    expect(quick.steps.heldMs() > 0).toBe(turn === 1);
  }
  const slow = controller();
  for (let turn = 0; turn < 20; turn += 1) {
    slow.set(minute);
    for (let part = 0; part < 3; part += 1) {
      slow.pass(hour);
      expect(slow.steps.heldMs()).toBe(0);
    }
  }
});

test("what earlier controllers may have issued is waited for by the clock that nobody sets", () => {
  const { steps, pass, set } = controller({ heldMs: 90 * minute });
  expect(steps.heldMs()).toBe(90 * minute);
  set(-3 * hour);
  pass(20 * minute);
  expect(steps.heldMs()).toBe(70 * minute);
  set(2 * hour);
  expect(steps.heldMs()).toBe(70 * minute);
  pass(70 * minute);
  expect(steps.heldMs()).toBe(0);
});

/** A controller whose clock may be set, that tolerates 90 s and whose permits count for an hour. */
function controller(options: { readonly heldMs?: number } = {}) {
  let wall = Date.parse("2026-03-01T12:00:00Z");
  let monotonic = 1_000;
  const told: number[] = [];
  const steps = new ForwardSteps({
    wallMs: () => wall,
    monotonicMs: () => monotonic,
    toleratedMs: 90_000,
    holdMs: hour,
    ...options,
    onStep: (stepMs) => told.push(stepMs),
  });
  return {
    steps,
    told,
    set: (ms: number) => {
      wall += ms;
    },
    pass: (ms: number) => {
      wall += ms;
      monotonic += ms;
    },
  };
}
