import type { Firing } from "#model/starter.ts";

/** What starts a policy by itself and when its actions may run. Times are ISO 8601 UTC. */
export interface ScheduleStatus {
  readonly policy: string;
  /** IANA name. */
  readonly zone: string;
  /** As the policy says it: a cron pattern, `every 15m`, a time; undefined without a schedule. */
  readonly schedule: string | undefined;
  readonly overlap: string | undefined;
  /** The next start, jitter included; undefined when none comes. */
  readonly next: string | undefined;
  readonly last: LastFiring | undefined;
  /** The occurrence that waits until the run before it has ended. */
  readonly waiting: string | undefined;
  readonly missed: number;
  readonly disabled:
    | { readonly reason: string; readonly by: string; readonly at: string }
    | undefined;
  /** Whether its actions may run now, and when that changes; undefined without windows. */
  readonly window: { readonly open: boolean; readonly until: string | undefined } | undefined;
  readonly triggers: readonly TriggerStatus[];
}

export interface TriggerStatus {
  readonly name: string;
  /** A trigger on usage is between its marks; an event waits for its quiet. */
  readonly active: boolean;
  readonly last: LastFiring | undefined;
}

/** A firing, with what became of its run. */
export interface LastFiring extends Firing {
  /** State of the run; undefined when there is none. */
  readonly run: string | undefined;
}

/** One start to come. */
export interface UpcomingStart {
  /** Its time by the schedule. */
  readonly at: string;
  /** Its time with jitter. */
  readonly startsAt: string;
  /** `Sat 2026-03-28 22:00 Europe/Berlin`. */
  readonly local: string;
  /** The clocks change: what that does to this start. */
  readonly note: string | undefined;
  /** When its actions may begin, if the windows are closed at its start. */
  readonly opensAt: string | undefined;
}
