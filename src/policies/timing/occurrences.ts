import { CronExpressionParser } from "cron-parser";
import type { Schedule } from "#policies/timing/schedule.ts";

/** The first occurrence after a moment, without jitter; undefined when there is none. */
export function nextOccurrence({ timing, zone }: Schedule, after: Date): Date | undefined {
  if (timing.kind === "once") return timing.at > after ? timing.at : undefined;
  if (timing.kind === "cron") return nextFiring(timing.pattern, zone, after);
  return new Date((Math.floor(after.getTime() / timing.everyMs) + 1) * timing.everyMs);
}

/** The occurrences after a moment, in order, without jitter. */
export function* occurrencesAfter(schedule: Schedule, after: Date): Generator<Date> {
  let last = after;
  for (;;) {
    const next = nextOccurrence(schedule, last);
    if (next === undefined) return;
    yield next;
    last = next;
  }
}

/** The next few occurrences. */
export function upcoming(schedule: Schedule, after: Date, count: number): readonly Date[] {
  const times: Date[] = [];
  for (const time of occurrencesAfter(schedule, after)) {
    if (times.length >= count) break;
    times.push(time);
  }
  return times;
}

/** Asks as the queue library does, so that what is announced is what happens. */
function nextFiring(pattern: string, zone: string, after: Date): Date | undefined {
  try {
    return CronExpressionParser.parse(pattern, { tz: zone, currentDate: after }).next().toDate();
  } catch {
    return undefined;
  }
}
