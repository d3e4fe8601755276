import type { Check } from "#model/check.ts";
import { formatDuration } from "#model/quantity.ts";

const warnAboveMs = 5_000;
const failAboveMs = 60_000;

/**
 * The server's clock against ours; `ask` gives its milliseconds since 1970. It fails before the
 * skew that permits are prepared for.
 */
export async function checkClock(
  ask: () => Promise<number>,
  clockSkewMs: number,
  now: () => Date,
): Promise<Check> {
  const before = now().getTime();
  const there = await ask();
  // The answer was made somewhere in between: half the way is the best guess.
  const here = (before + now().getTime()) / 2;
  const skewMs = Math.abs(there - here);
  const name = "queue clock";
  const failAbove = Math.min(failAboveMs, clockSkewMs);
  if (skewMs <= Math.min(warnAboveMs, failAbove))
    return { name, state: "ok", message: "agrees with this machine's" };
  const direction = there > here ? "ahead of" : "behind";
  return {
    name,
    state: skewMs > failAbove ? "failed" : "warn",
    message: `${formatDuration(skewMs)} ${direction} this machine's`,
    why: "delays, leases and the expiry of permits are counted by clocks of different machines",
    hint: "let NTP set both clocks",
  };
}
