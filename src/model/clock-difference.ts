import type { Check } from "#model/check.ts";
import { formatDuration } from "#model/quantity.ts";

/** Clocks that differ by no more than this are in order. */
export const clocksAgreeWithinMs = 5_000;
const failAboveMs = 60_000;

/** What to do about clocks that differ, and why. */
export const clockAdvice = {
  why: "delays, leases and the expiry of permits are counted by clocks of different machines",
  hint: "let NTP set both clocks",
} as const;

/**
 * What a difference between two clocks is worth: it fails before the skew that permits are
 * prepared for (`safety.clockSkew`). Milliseconds.
 */
export function judgeClock(differenceMs: number, clockSkewMs: number): Check["state"] {
  const failAbove = Math.min(failAboveMs, clockSkewMs);
  const apart = Math.abs(differenceMs);
  if (apart <= Math.min(clocksAgreeWithinMs, failAbove)) return "ok";
  return apart > failAbove ? "failed" : "warn";
}

/** `12m ahead of`, `3s behind`. */
export function clockWords(aheadMs: number): string {
  return `${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? "ahead of" : "behind"}`;
}
