import type { MetricSeries } from "#model/metric.ts";

export const roles = ["controller", "worker", "gateway"] as const;
export type Role = (typeof roles)[number];

/** A process that works, as it reports itself. */
export interface NodeReport {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly labels: Readonly<Record<string, string>>;
  readonly architecture: string;
  readonly platform: string;
  readonly version: string;
  readonly pid: number;
  /** Backends this node can reach (its lanes). */
  readonly backends: readonly string[];
  readonly startedAt: string;
  /**
   * How far its clock is ahead of the controller's at least (milliseconds; negative: behind), by
   * its last heartbeat. Missing before that, and where both share a process.
   */
  readonly clockAheadMs?: number;
}

/** What a node is told when it reports. */
export interface NodeOrders {
  /** The controller's clock when it answered (ISO 8601 UTC). */
  readonly at: string;
  /** Why it takes no work for now; missing when it may. */
  readonly paused?: string;
}

/** What a node sends every few seconds. */
export interface Heartbeat extends NodeReport {
  /** All that it has measured since it started; absent when it shares the controller's process. */
  readonly measured?: readonly MetricSeries[];
}
