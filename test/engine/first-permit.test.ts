import { expect, test } from "vitest";
import { firstPermitAt } from "#engine/begin-term.ts";

const minute = 60_000;
const hour = 60 * minute;
const now = new Date("2026-03-01T12:00:00Z");
const safety = { permitTtlMs: hour, clockSkewMs: 90_000 };
/** What a permit of an hour can be in use: the call, and what clocks may differ. */
const inUseMs = hour + 2 * minute;

function waitMs(noted: number | undefined, complete: boolean, longestTtlMs = hour): number {
  const last = noted === undefined ? undefined : { permitsFrom: new Date(now.getTime() + noted) };
  return firstPermitAt({ last, longestTtlMs }, complete, safety, now).getTime() - now.getTime();
}

test("a controller that knows everything waits only for what was noted", () => {
  expect(waitMs(undefined, true)).toBeLessThan(0);
  expect(waitMs(-minute, true)).toBe(-minute);
  expect(waitMs(30 * minute, true)).toBe(30 * minute);
});

test("one that may not know all permits waits until each has run out", () => {
  expect(waitMs(undefined, false)).toBe(inUseMs);
  expect(waitMs(undefined, false, 6 * hour)).toBe(5 * hour + inUseMs);
  expect(waitMs(90 * minute, false)).toBe(90 * minute);
});

test("a time that only a wrong clock can have noted does not stop removals for years", () => {
  expect(waitMs(10 * 365 * 24 * hour, true)).toBe(2 * inUseMs);
});
