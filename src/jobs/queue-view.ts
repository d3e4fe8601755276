import type { Job, Queue } from "bullmq";
import { indexQueue, laneQueue } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { progressOf, type StepJobData } from "#jobs/step-job.ts";
import type { ActiveStep } from "#model/control.ts";
import { EngineError } from "#model/engine-error.ts";
import type { StepData } from "#model/run.ts";
import type { WaitReason } from "#model/wait.ts";

/** A queue store that does not answer must not make a question about it hang. */
const answerTimeoutMs = 5_000;
const activeMax = 100;
/** More than the dispatcher lets into a lane. */
const delayedMax = 100;

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
  /** Why it stepped aside, as it says itself, and since when. */
  readonly remark: string | undefined;
  readonly reason?: WaitReason | undefined;
  readonly since?: string | undefined;
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
      const lost = await this.#store.lost(queue.name, active.map(idOf));
      return {
        waiting,
        active: active.map((job) => laneJob(job, backend, lost.has(idOf(job)))),
        delayed: await this.#delayed(queue.name, backend),
      };
    });
  }

  /** Commits that stepped aside: they wait for a backend that their removals need. */
  async commits(): Promise<readonly LaneJob[]> {
    return await this.#inTime(async () => await this.#delayed(indexQueue));
  }

  /** All jobs that stepped aside, on these lanes and in the queue of the commits. */
  async asides(backends: readonly string[]): Promise<readonly LaneJob[]> {
    return await this.#inTime(async () => {
      const lanes = backends.map(async (lane) => await this.#delayed(laneQueue(lane), lane));
      return (await Promise.all([...lanes, this.#delayed(indexQueue)])).flat();
    });
  }

  async #delayed(queue: string, lane: string = indexQueue): Promise<readonly LaneJob[]> {
    const jobs = await this.#store.queue(queue).getDelayed(0, delayedMax - 1);
    return (jobs as Job<StepJobData>[]).map((job) => laneJob(job, lane));
  }

  /** What workers hold on these lanes, the first of them. */
  async inFlight(backends: readonly string[]): Promise<readonly ActiveStep[]> {
    const lanes = await Promise.all(backends.map(async (backend) => await this.lane(backend)));
    return lanes.flatMap(({ active }) => active.map(({ step }) => step)).slice(0, activeMax);
  }

  /** The job of that id, and how the lane it is on sees it; looks at every lane. */
  async find(
    id: string,
    backends: readonly string[],
  ): Promise<{ readonly job: Job<StepJobData>; readonly seen: LaneJob } | undefined> {
    const queues: readonly (readonly [string, Queue])[] = [
      ...backends.map((backend) => [backend, this.#store.queue(laneQueue(backend))] as const),
      [indexQueue, this.#store.queue(indexQueue)],
    ];
    return await this.#inTime(async () => {
      for (const [lane, queue] of queues) {
        const job = (await queue.getJob(id)) as Job<StepJobData> | undefined;
        if (job === undefined) continue;
        const lost = await this.#store.lost(queue.name, [id]);
        return { job, seen: laneJob(job, lane, lost.has(id)) };
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

function idOf({ id = "" }: Job): string {
  return id;
}

function laneJob(job: Job<StepJobData>, lane: string, lost = false): LaneJob {
  const { waiting: remark, reason, since } = progressOf(job);
  return { data: job.data, step: activeStep(job, lane, lost), remark, reason, since };
}

function activeStep(job: Job<StepJobData>, lane: string, lost: boolean): ActiveStep {
  const { runId, batch, step } = job.data;
  const { done = 0, total = job.data.to - job.data.from, bytes = 0 } = progressOf(job);
  const since = job.processedOn === undefined ? undefined : new Date(job.processedOn).toISOString();
  return { runId, batch, step, lane, node: job.processedBy, since, lost, done, total, bytes };
}
