import type { Job } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";
import { removeTimeoutMs } from "#model/removal.ts";
import { laneTiming } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { StepJobData } from "#jobs/step-job.ts";

/** An answer that is older, counted from its question, confirms nothing. */
const answeredWithinMs = 2_000;
/** A queue that needs longer than that for each of so many answers is as good as out. */
const asksMax = 3;
/** While it is kept: more often than the queue would give the job away. */
const askEveryMs = laneTiming.lockRenewTime;
/** After this, nothing that a worker began before it lost its job is still under way. */
export const quietAfterMs = answeredWithinMs + removeTimeoutMs + 8_000;

/** A worker's hold on its job: effects that cannot be undone ask for it first. */
export class JobLock {
  readonly #job: Job<StepJobData>;
  readonly #token: string;
  readonly #queue: Pick<QueueStore, "kind" | "time">;
  readonly #takenAt = performance.now();
  /** When the job was known to be this worker's, by the clock of the queue's server. */
  #heldMs: number | undefined;
  #lost: EngineError | undefined;

  constructor(job: Job<StepJobData>, token: string, queue: Pick<QueueStore, "kind" | "time">) {
    this.#job = job;
    this.#token = token;
    this.#queue = queue;
  }

  /** Whether the job belongs to another worker by now, for all that is known. */
  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * Asks every two seconds from now on, until the answer is disposed of. Where so much time passed
   * between two answers, by the clock of the queue's server, that the job could have been given to
   * another worker, it counts as lost, though nobody took it: what was found out before is old.
   * While a question is open no other is asked: a queue that is out would keep them all.
   */
  async keep(): Promise<Disposable> {
    await this.confirm();
    let open = false;
    const ask = async () => {
      if (open) return;
      open = true;
      try {
        await this.#ask();
      } catch {
        // Who confirms next hears of it.
      } finally {
        open = false;
      }
    };
    const timer = setInterval(() => void ask(), askEveryMs);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
      },
    };
  }

  /**
   * Throws when the job belongs to another worker by now (this one was thought dead). Gives the time
   * of the queue's server, which goes on while this machine stands still.
   *
   * Each call asks: the clocks of a machine that stood still do not say how old an answer is. A
   * process that stood still alone, before it read the answer, sees that it is old and asks again,
   * for meanwhile another worker may have taken the job and ended it.
   */
  async confirm(): Promise<number> {
    for (let asked = 0; asked < asksMax; asked += 1) {
      if (this.#lost !== undefined) throw this.#lost;
      const askedAt = performance.now();
      const queueMs = await this.#ask();
      if (performance.now() - askedAt < answeredWithinMs) return queueMs;
    }
    const message = "the queue takes too long to say whether a job is still this worker's";
    throw new EngineError("UNAVAILABLE", message);
  }

  async #ask(): Promise<number> {
    const asked = this.#job.extendLock(this.#token, laneTiming.lockDuration);
    // PostgreSQL renews a lock that ran out, too: a time of before the answer would not show that
    // the machine stood still between the two. Redis refuses what is asked so late.
    if (this.#queue.kind === "postgresql") await asked;
    const [held, queueMs] = await Promise.all([asked, this.#queue.time()]);
    if (held !== 1) this.#lost ??= takenOver(this.#job);
    else if (queueMs - (this.#heldMs ?? queueMs) > laneTiming.lockDuration) {
      this.#lost ??= stoodStill(this.#job);
    }
    if (this.#lost !== undefined) throw this.#lost;
    this.#heldMs = Math.max(this.#heldMs ?? queueMs, queueMs);
    return queueMs;
  }

  /** Waits until calls of an earlier worker of this batch have ended, if there was one. */
  async quiet(): Promise<void> {
    // A flow that was made anew, after the queue lost the one before, begins to count again.
    if (this.#job.attemptsStarted <= 1 && this.#job.data.attempt === 0) return;
    const restMs = quietAfterMs - (performance.now() - this.#takenAt);
    if (restMs > 0) await sleep(restMs);
  }
}

function takenOver({ id = "" }: Job): EngineError {
  const message = `job ${id} was taken over by another worker`;
  return new EngineError("CONFLICT", message, { retryable: false });
}

/** The job steps aside and is begun again, with new evidence. */
function stoodStill({ id = "" }: Job): EngineError {
  const message =
    `this worker did not hear from the queue for so long that it may have lost job ${id}; ` +
    "what it had checked is checked again";
  const options = { retryable: false, details: { wait: "dependency" } };
  return new EngineError("UNAVAILABLE", message, options);
}
