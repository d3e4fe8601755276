import type { BandwidthTimetable } from "#model/bandwidth.ts";

/** How fast a policy may act, whatever its backends could do. */
export interface Pace {
  /** Actions per second that may begin. */
  readonly actionsPerSecond?: number;
  /** Bytes that its copies may begin to move, over the week in the policy's zone. */
  readonly bandwidth?: BandwidthTimetable;
}
