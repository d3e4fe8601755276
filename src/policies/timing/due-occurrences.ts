import { occurrencesAfter } from "#policies/timing/occurrences.ts";
import { jitterOf, onTimeMs, type Schedule } from "#policies/timing/schedule.ts";

/** What is to be done about the occurrences since the last one that was dealt with. */
export interface DueOccurrences {
  /** The one to run now: the latest of those that may still run. */
  readonly due: Date | undefined;
  /** Whether it runs only because `catchUp` lets it. */
  readonly isLate: boolean;
  /** How many earlier ones the due one stands for. */
  readonly covered: number;
  /** Occurrences that are too late, first and last of them, and how many. */
  readonly missed:
    | { readonly count: number; readonly first: Date; readonly last: Date }
    | undefined;
  /** Everything up to here is dealt with. */
  readonly cursor: Date;
}

/** More are not counted one by one: what matters is that there were many. */
const countedMax = 10_000;

/**
 * Judges the occurrences after `cursor` whose time (with jitter) has come: the latest runs when
 * it is on time or within `catchUp`; what is older than that is missed.
 */
export function dueOccurrences(
  policy: string,
  schedule: Schedule,
  cursor: Date,
  now: Date,
): DueOccurrences {
  const lateMax = Math.max(onTimeMs, schedule.catchUpMs ?? 0);
  const reached = reachedAfter(policy, schedule, cursor, now);
  if (reached.length === countedMax) {
    const recent = new Date(now.getTime() - lateMax - schedule.jitterMs);
    reached.push(...reachedAfter(policy, schedule, later(recent, reached.at(-1)), now));
  }
  const lateness = (at: Date) => now.getTime() - dueTime(policy, schedule, at);
  const possible = reached.filter((at) => lateness(at) <= lateMax);
  const missed = reached.filter((at) => lateness(at) > lateMax);
  const [first, last] = [missed.at(0), missed.at(-1)];
  const due = possible.at(-1);
  return {
    due,
    isLate: due !== undefined && lateness(due) > onTimeMs,
    covered: Math.max(0, possible.length - 1),
    missed: first && last && { count: missed.length, first, last },
    cursor: reached.at(-1) ?? cursor,
  };
}

function reachedAfter(policy: string, schedule: Schedule, after: Date, now: Date): Date[] {
  const reached: Date[] = [];
  for (const occurrence of occurrencesAfter(schedule, after)) {
    if (dueTime(policy, schedule, occurrence) > now.getTime()) break;
    reached.push(occurrence);
    if (reached.length === countedMax) break;
  }
  return reached;
}

function later(a: Date, b: Date | undefined): Date {
  return b !== undefined && b > a ? b : a;
}

function dueTime(policy: string, schedule: Schedule, occurrence: Date): number {
  return occurrence.getTime() + jitterOf(policy, occurrence, schedule);
}
