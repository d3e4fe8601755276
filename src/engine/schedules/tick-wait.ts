import { occurrencesAfter } from "#policies/timing/occurrences.ts";
import { jitterOf, type Schedule } from "#policies/timing/schedule.ts";

/** Clocks of servers differ a little: a tick that comes early waits for its time. */
const earlyMs = 5_000;

/**
 * How long (milliseconds) until the occurrence for which a tick came is due: its jitter is still
 * to pass, or the tick came early. Undefined when there is none.
 */
export function tickWait(policy: string, schedule: Schedule, now: Date): number | undefined {
  const since = new Date(now.getTime() - schedule.jitterMs - 1);
  for (const occurrence of occurrencesAfter(schedule, since)) {
    if (occurrence.getTime() > now.getTime() + earlyMs) return undefined;
    const dueAt = occurrence.getTime() + jitterOf(policy, occurrence, schedule);
    if (dueAt > now.getTime()) return dueAt - now.getTime();
  }
  return undefined;
}
