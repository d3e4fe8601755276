import { clockChange, localTimeAt, momentsOf } from "#policies/timing/local-time.ts";
import { edgesOf, isWithinRange, type TimeRange } from "#policies/timing/time-range.ts";

/** What becomes of work that is under way when a window closes. */
export const closings = ["checkpoint", "finish-object", "continue"] as const;
export type Closing = (typeof closings)[number];

/** Beyond this nobody plans: a window that does not open in three years never does. */
const horizonDays = 3 * 366;
const dayMs = 86_400_000;

/**
 * When the actions of a policy may run. Allowed times add up, denied ones win, and without any
 * allowed time all is allowed. What the clocks of the zone show decides: a window in an hour
 * that is skipped does not open that day, one in an hour that repeats opens twice.
 */
export class Windows {
  readonly allow: readonly TimeRange[];
  readonly deny: readonly TimeRange[];
  readonly zone: string;
  readonly onClose: Closing;
  readonly #edges: readonly number[];

  constructor(options: {
    readonly allow: readonly TimeRange[];
    readonly deny: readonly TimeRange[];
    readonly zone: string;
    readonly onClose?: Closing;
  }) {
    this.allow = options.allow;
    this.deny = options.deny;
    this.zone = options.zone;
    this.onClose = options.onClose ?? "checkpoint";
    this.#edges = [...new Set([0, ...[...this.allow, ...this.deny].flatMap(edgesOf)])];
  }

  isOpen(now: Date): boolean {
    const local = localTimeAt(now.getTime(), this.zone);
    const isAllowed =
      this.allow.length === 0 || this.allow.some((range) => isWithinRange(range, local));
    return isAllowed && !this.deny.some((range) => isWithinRange(range, local));
  }

  /** The first open moment from `now` on; undefined when none is in sight. */
  nextOpen(now: Date): Date | undefined {
    return this.isOpen(now) ? now : this.nextChange(now);
  }

  /** The first closed moment from `now` on; undefined when none is in sight. */
  nextClose(now: Date): Date | undefined {
    return this.isOpen(now) ? this.nextChange(now) : now;
  }

  /** When what `isOpen` says changes next after `now`; undefined when that is not in sight. */
  nextChange(now: Date): Date | undefined {
    const wasOpen = this.isOpen(now);
    for (let day = 0; day < horizonDays; day += 1) {
      const from = now.getTime() + day * dayMs;
      for (const edge of this.#edgesBetween(from, from + dayMs)) {
        const at = new Date(edge);
        if (this.isOpen(at) !== wasOpen) return at;
      }
    }
    return undefined;
  }

  /** The denying range at a closed moment, or undefined when only no window is open. */
  deniedBy(now: Date): TimeRange | undefined {
    const local = localTimeAt(now.getTime(), this.zone);
    return this.deny.find((range) => isWithinRange(range, local));
  }

  /** Moments in (from, until] at which anything may change, in order. */
  #edgesBetween(from: number, until: number): readonly number[] {
    const days = new Set(
      [from, until].map((at) => {
        const { year, month, day } = localTimeAt(at, this.zone);
        return Date.UTC(year, month - 1, day);
      }),
    );
    const moments = [...days].flatMap((midnight) =>
      this.#edges.flatMap((minute) => momentsOf(midnight + minute * 60_000, this.zone)),
    );
    const change = clockChange(from, until, this.zone);
    if (change !== undefined) moments.push(change);
    return moments.filter((at) => at > from && at <= until).toSorted((a, b) => a - b);
  }
}
