import type { Job, Queue } from "bullmq";
import { indexQueue, laneQueue } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import type { StepJobData, StepProgress } from "#jobs/step-job.ts";
import type { ActiveStep } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import type { StepData } from "#model/run.ts";

/** A queue store that does not answer must not make a question about it hang. */
const answerTimeoutMs = 5_000;
const activeMax = 100;
const delayedMax = 20;

/** One lane as the queue store has it. */
export interface LaneView {
  readonly waiting: number;
  /** With a worker, the first of them. */
  readonly active: readonly LaneJob[];
  /** Jobs that stepped aside, the first few. */
  readonly delayed: readonly LaneJob[];
}

/** A job of a lane. */
export interface LaneJob {
  readonly data: StepData;
  readonly step: ActiveStep;
  /** Why it stepped aside, as it says itself. */
  readonly remark: string | undefined;
}

/** Looks at queues without changing them. Throws UNAVAILABLE when the store does not answer. */
export class QueueView {
  readonly #store: QueueStore;

  constructor(store: QueueStore) {
    this.#store = store;
  }

  get address(): string {
    return this.#store.address;
  }

  async lane(backend: string): Promise<LaneView> {
    const queue = this.#store.queue(laneQueue(backend));
    return await this.#inTime(async () => {
      const waiting = await queue.getWaitingCount();
      const active = (await queue.getActive(0, activeMax - 1)) as Job<StepJobData>[];
      const delayed = (await queue.getDelayed(0, delayedMax - 1)) as Job<StepJobData>[];
      return {
        waiting,
        active: active.map((job) => laneJob(job, backend)),
        delayed: delayed.map((job) => laneJob(job, backend)),
      };
    });
  }

  /** What workers hold on these lanes, the first of them. */
  async inFlight(backends: readonly string[]): Promise<readonly ActiveStep[]> {
    const lanes = await Promise.all(backends.map(async (backend) => await this.lane(backend)));
    return lanes.flatMap(({ active }) => active.map(({ step }) => step)).slice(0, activeMax);
  }

  /** The job of that id, with the lane it is on; looks at every lane. */
  async find(
    id: string,
    backends: readonly string[],
  ): Promise<{ readonly lane: string; readonly job: Job<StepJobData> } | undefined> {
    const queues: readonly (readonly [string, Queue])[] = [
      ...backends.map((backend) => [backend, this.#store.queue(laneQueue(backend))] as const),
      [indexQueue, this.#store.queue(indexQueue)],
    ];
    return await this.#inTime(async () => {
      for (const [lane, queue] of queues) {
        const job = (await queue.getJob(id)) as Job<StepJobData> | undefined;
        if (job !== undefined) return { lane, job };
      }
      return undefined;
    });
  }

  /** Has jobs that stepped aside look again at once, since what they waited for may be over. */
  async promote(backends: readonly string[]): Promise<void> {
    for (const backend of backends) await this.#store.queue(laneQueue(backend)).promoteJobs();
  }

  async #inTime<Value>(look: () => Promise<Value>): Promise<Value> {
    const late = AbortSignal.timeout(answerTimeoutMs);
    const { promise, reject } = Promise.withResolvers<never>();
    const tooLate = () => {
      reject(new EngineError("UNAVAILABLE", `the queue at ${this.address} does not answer`));
    };
    late.addEventListener("abort", tooLate);
    const looking = look();
    // It may still fail after we have gone on.
    looking.catch(() => undefined);
    try {
      return await Promise.race([looking, promise]);
    } catch (error) {
      throw EngineError.from(error, "UNAVAILABLE");
    } finally {
      late.removeEventListener("abort", tooLate);
    }
  }
}

/** What a job says about how far it is. */
export function progressOf(job: Job<StepJobData>): Partial<StepProgress> {
  return typeof job.progress === "object" ? job.progress : {};
}

function laneJob(job: Job<StepJobData>, lane: string): LaneJob {
  return { data: job.data, step: activeStep(job, lane), remark: progressOf(job).waiting };
}

function activeStep(job: Job<StepJobData>, lane: string): ActiveStep {
  const { runId, batch, step } = job.data;
  const { done = 0, total = job.data.to - job.data.from, bytes = 0 } = progressOf(job);
  const since = job.processedOn === undefined ? undefined : new Date(job.processedOn).toISOString();
  return { runId, batch, step, lane, node: job.processedBy, since, done, total, bytes };
}
