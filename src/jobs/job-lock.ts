import type { Job } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { removeTimeoutMs } from "#model/removal.ts";
import { laneTiming } from "#jobs/lanes.ts";
import type { StepJobData } from "#jobs/step-job.ts";

/** A lock that was confirmed this lately need not be asked for again. */
const confirmedForMs = 2_000;
/** A queue that needs longer than that for each of so many answers is as good as out. */
const asksMax = 3;
/** After this, nothing that a worker began before it lost its job is still under way. */
export const quietAfterMs = confirmedForMs + removeTimeoutMs + 8_000;

/** A worker's hold on its job: effects that cannot be undone ask for it first. */
export class JobLock {
  readonly #job: Job<StepJobData>;
  readonly #token: string;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  readonly #takenAt = performance.now();
  #lost = false;

  constructor(job: Job<StepJobData>, token: string) {
    this.#job = job;
    this.#token = token;
  }

  /** Whether the job is known to belong to another worker by now. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Throws when the job belongs to another worker by now (this one was thought dead). */
  async confirm(): Promise<void> {
    for (let asked = 0; !this.#isConfirmed(); asked += 1) {
      if (asked === asksMax) {
        const message = "the queue takes too long to say whether a job is still this worker's";
        throw new EngineError("UNAVAILABLE", message);
      }
      await this.#ask();
    }
  }

  /**
   * An answer is as old as its question: a process that stood still before it read the answer
   * asks again, for meanwhile another worker may have taken the job and ended it.
   */
  #isConfirmed(): boolean {
    return performance.now() - this.#confirmedAt < confirmedForMs;
  }

  async #ask(): Promise<void> {
    const askedAt = performance.now();
    const held = await this.#job.extendLock(this.#token, laneTiming.lockDuration);
    if (held !== 1) {
      this.#lost = true;
      const message = `job ${this.#job.id ?? ""} was taken over by another worker`;
      throw new EngineError("CONFLICT", message, { retryable: false });
    }
    this.#confirmedAt = askedAt;
  }

  /** Waits until calls of an earlier worker of this batch have ended, if there was one. */
  async quiet(): Promise<void> {
    // A flow that was made anew, after the queue lost the one before, begins to count again.
    if (this.#job.attemptsStarted <= 1 && this.#job.data.attempt === 0) return;
    const restMs = quietAfterMs - (performance.now() - this.#takenAt);
    if (restMs > 0) await sleep(restMs);
  }
}
