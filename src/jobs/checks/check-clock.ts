import type { Check } from "#model/check.ts";
import { clockAdvice, clockWords, judgeClock } from "#model/clock-difference.ts";

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
  const aheadMs = there - here;
  const name = "queue clock";
  const state = judgeClock(aheadMs, clockSkewMs);
  if (state === "ok") return { name, state, message: "agrees with this machine's" };
  return { name, state, message: `${clockWords(aheadMs)} this machine's`, ...clockAdvice };
}
