import { isDoneByWorkers, isDoneOutside, outsideLane } from "#model/run-order.ts";
import type { Batch } from "#model/run.ts";

/** Queue of the commit steps; only the controller consumes it. */
export const indexQueue = "index";

/** Name of the queue of one backend. BullMQ forbids `:` in it. */
export function laneQueue(backend: string): string {
  return `lane-${encodeURIComponent(backend)}`;
}

/** The backend on whose lane a batch begins; `index` when no backend acts (tombstones, tags). */
export function laneOf(batch: Pick<Batch, "verb" | "source" | "target" | "victim">): string {
  if (isDoneOutside(batch.verb)) return outsideLane;
  const acting = isDoneByWorkers(batch.verb) ? batch.source : null;
  return batch.target ?? batch.victim ?? acting ?? indexQueue;
}

/** How lanes treat their jobs: locks short enough that a killed worker is noticed in seconds. */
export const laneTiming = {
  // A lock is renewed every two seconds, so a job that lost its worker is free again after at
  // most lockDuration + 2 × stalledInterval = 10 s.
  lockDuration: 6_000,
  lockRenewTime: 2_000,
  stalledInterval: 2_000,
  // A kill must never poison a job: it is not the job's fault.
  maxStalledCount: 1_000,
  runRetryDelay: 1_000,
} as const;

/**
 * A queue can only be told to rest when its workers count their jobs: so they do, against a
 * number that none reaches.
 */
export const laneHold = { max: 1_000_000_000, duration: 1_000 } as const;
