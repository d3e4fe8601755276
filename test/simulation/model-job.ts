import { UnrecoverableError } from "bullmq";
import type { FlowJob } from "bullmq";

export type JobState =
  | "waiting"
  | "waiting-children"
  | "delayed"
  | "active"
  | "completed"
  | "failed";

/** A job as the queue store keeps it. */
export interface StoredJob {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly opts: NonNullable<FlowJob["opts"]>;
  readonly parent: { readonly queue: string; readonly id: string } | undefined;
  /** Kept as JSON, as it is in the store: what a worker changes in its memory stays there. */
  data: string;
  state: JobState;
  /** Children that have not ended. */
  readonly openChildren: Set<string>;
  readonly children: readonly { readonly queue: string; readonly id: string }[];
  readonly childValues: Map<string, string>;
  attemptsStarted: number;
  attemptsMade: number;
  failedReason: string | undefined;
  /** Set when a child failed: the job fails as soon as a worker takes it. */
  deferredFailure: string | undefined;
  lock: { readonly token: string; until: number } | undefined;
  delayedUntil: number;
}

export const jobKey = (queue: string, id: string) => `${queue}\n${id}`;

/** Whether the lock of a job is one that counts. */
export function isLocked(job: StoredJob, now: number): boolean {
  return job.lock !== undefined && job.lock.until > now;
}

/** Whether a job that threw is tried again by the queue itself. */
export function retryDelayMs(job: StoredJob, error: unknown): number | undefined {
  if (error instanceof UnrecoverableError) return undefined;
  if (job.attemptsMade + 1 >= (job.opts.attempts ?? 1)) return undefined;
  const { backoff } = job.opts;
  const baseMs = typeof backoff === "object" ? (backoff.delay ?? 0) : (backoff ?? 0);
  return baseMs * 2 ** job.attemptsMade;
}
