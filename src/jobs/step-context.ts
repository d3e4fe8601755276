import type { Driver } from "#model/driver.ts";
import type { CommitContext, IndexStore } from "#model/index-store.ts";
import type { OutsidePort } from "#model/outside.ts";
import type { Measurements } from "#model/metric.ts";
import type { JobLock } from "#jobs/job-lock.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepJobData } from "#jobs/step-job.ts";
import type { StepMemory } from "#jobs/step-memory.ts";

/** What a handler is given: the step, the ways to act, and how to be stopped. */
export interface StepContext {
  readonly data: StepJobData;
  readonly actions: readonly SegmentAction[];
  readonly drivers: ReadonlyMap<string, Driver>;
  /** Outcomes so far, kept with the job. */
  readonly memory: StepMemory;
  readonly lock: Pick<JobLock, "confirm" | "keep" | "quiet" | "lost">;
  /** Aborted on pause, cancel and shutdown; its reason is a StepStop. */
  readonly signal: AbortSignal;
  /** Aborted when no further object shall be begun; what is begun ends. Its reason likewise. */
  readonly drain: AbortSignal;
  readonly settings: StepSettings;
  /** What this worker may reach outside; undefined on others, which get no such steps. */
  readonly outside: OutsidePort | undefined;
  readonly measurements: Measurements;
  now(): Date;
  /**
   * The latest it may be by the clock of the controller: what permits count by. Before an effect it
   * is asked with the time that `lock.confirm` gave.
   */
  permitNow(queueMs?: number): Date;
  /** What the step before this one returned. Throws when its job was taken out of the queue. */
  previous<Value>(): Promise<Value>;
  /** Only on the controller. */
  readonly commit: CommitPort | undefined;
}

export interface StepSettings {
  /** Objects of one batch that are worked on at the same time. */
  readonly objectsAtOnce: number;
  /** A copy that was re-hashed longer ago than this is re-hashed before it justifies a removal. */
  readonly proofAgeMaxMs: number;
}

export const defaultStepSettings: StepSettings = {
  objectsAtOnce: 8,
  proofAgeMaxMs: 60 * 60 * 1_000,
};

/** The single writer, as a commit step sees it. */
export interface CommitPort {
  readonly index: Pick<IndexStore, "commitCopies" | "commitRemovals" | "recordEvidence">;
  context(): CommitContext;
}

/** The default export of a file in `src/jobs/handlers/`. What `run` returns is packed. */
export interface StepHandler {
  /** Equals the file name. */
  readonly name: string;
  run(context: StepContext): Promise<unknown>;
}

export type StopReason = "pause" | "cancel" | "shutdown";

/** Why an active step was stopped; the reason of its signal. */
export class StepStop extends Error {
  readonly reason: StopReason;
  /** When the step may go on (ISO 8601 UTC), if that is known. */
  readonly until: string | undefined;

  constructor(reason: StopReason, why?: string, until?: string) {
    super(why ?? `stopped: ${reason}`);
    this.name = "StepStop";
    this.reason = reason;
    this.until = until;
  }
}

/** The stop that a signal carries, if it was given. */
export function stopOf(signal: AbortSignal): StopReason | undefined {
  return signal.reason instanceof StepStop ? signal.reason.reason : undefined;
}

/** Why a step was stopped, in words for the ledger and for those who watch the job. */
export function stopWords({ reason }: AbortSignal): string {
  return reason instanceof StepStop ? reason.message : "stopped";
}
