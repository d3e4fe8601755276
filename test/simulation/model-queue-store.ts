import { DelayedError, UnrecoverableError, WaitingError } from "bullmq";
import type { FlowJob, FlowProducer, Job, Processor, Queue, Worker } from "bullmq";
import type { LaneWorkerOptions, QueueStore } from "#jobs/queue-store.ts";
import { EngineError } from "#model/engine-error.ts";
import { noTracing } from "#model/tracing.ts";
import type { StepJobData } from "#jobs/step-job.ts";
import type { OperationFault, Scheduler } from "./scheduler.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { StoredJob } from "./model-job.ts";
import type { Random } from "./random.ts";
import { StoredJobs } from "./stored-jobs.ts";

const stalledCheckMs = 2_000;

/** What may go wrong in the queue; asked at each call. */
export interface QueueTroubles {
  callFault(what: string): OperationFault | undefined;
  /** Whether a worker gets another waiting job than the first. */
  reorders(): boolean;
  /** What the server says of its time, where that is wrong. */
  time?(): number;
  /** A job as a worker gets it. */
  job(job: ModelJob): ModelJob;
}

/**
 * BullMQ as the engine sees it, on virtual time: each call of a node is a request and an answer
 * with time in between; jobs whose worker does not renew its lock go to another one, while the
 * first may still be running.
 */
export class ModelQueueStore {
  readonly jobs: StoredJobs;
  readonly scheduler: Scheduler;
  readonly #random: Random;
  readonly #troubles: QueueTroubles;
  readonly #workers: ModelWorker[] = [];
  readonly #offering = new Set<string>();
  #tokens = 0;

  constructor(scheduler: Scheduler, random: Random, troubles: QueueTroubles) {
    this.scheduler = scheduler;
    this.#random = random;
    this.#troubles = troubles;
    this.jobs = new StoredJobs(
      () => scheduler.now,
      (queue) => {
        this.offer(queue);
      },
    );
    this.#watchLocks();
  }

  /** The store as one node sees it; its workers and calls belong to that node. */
  client(node: SimulatedNode): QueueStore {
    const { jobs } = this;
    const flows = {
      addBulk: async (all: readonly FlowJob[]) =>
        this.call(`queue: add ${all.length} flows`, () => {
          for (const flow of all) jobs.addFlow(flow);
        }),
    };
    return {
      kind: "redis",
      address: "the model queue",
      tracing: noTracing,
      queue: (name) => this.#queue(name),
      worker: <Data, Result>(
        name: string,
        processor: Processor<Data, Result>,
        options: LaneWorkerOptions,
      ) => {
        const run = processor as unknown as StepProcessor;
        const worker = new ModelWorker(this, node, name, run, options);
        this.#workers.push(worker);
        this.offer(name);
        return worker as unknown as Worker<Data, Result>;
      },
      flows: () => flows as unknown as FlowProducer,
      time: async () =>
        this.call("queue: time", () => this.#troubles.time?.() ?? this.scheduler.now),
      answers: async () => true,
      lost: () => {
        throw new EngineError("NOT_SUPPORTED", "nobody asks why in a simulation");
      },
      lease: () => {
        throw new EngineError("NOT_SUPPORTED", "one controller at a time is simulated");
      },
      close: async () => undefined,
    };
  }

  call<Result>(what: string, effect: () => Result): Promise<Result> {
    return this.scheduler.call(what, effect, { fault: this.#troubles.callFault(what) });
  }

  /** Gives waiting jobs of a queue to workers with a free hand, soon. */
  offer(queue: string): void {
    if (this.#offering.has(queue)) return;
    this.#offering.add(queue);
    const ms = this.#random.between(0, 5);
    this.scheduler.after(ms, () => this.#assign(queue), null);
  }

  #assign(queue: string): void {
    this.#offering.delete(queue);
    this.jobs.promoteDelayed();
    for (const job of this.jobs.all()) {
      if (job.state !== "delayed" || job.queue !== queue) continue;
      const ms = job.delayedUntil - this.scheduler.now;
      this.scheduler.after(ms, () => this.offer(queue), null);
    }
    for (let waiting = this.jobs.waiting(queue); waiting.length > 0;) {
      const free = this.#workers.filter((worker) => worker.wants(queue));
      if (free.length === 0) return;
      const worker = this.#random.pick(free);
      const job = this.#troubles.reorders() ? this.#random.pick(waiting) : waiting[0];
      if (job === undefined) return;
      this.jobs.activate(job, (this.#tokens += 1).toString(), worker.lockMs);
      worker.take(job, this.#tokens.toString());
      waiting = this.jobs.waiting(queue);
    }
  }

  handle(job: StoredJob): ModelJob {
    return this.#troubles.job(new ModelJob(this, job));
  }

  #queue(name: string): Queue {
    const queue = {
      getJob: async (id: string) =>
        this.call(`queue ${name}: get ${id.slice(0, 6)}`, () => {
          const job = this.jobs.get(name, id);
          return job === undefined ? undefined : new ModelJob(this, job);
        }),
      remove: async (id: string) =>
        this.call(`queue ${name}: remove ${id.slice(0, 6)}`, () => this.jobs.remove(name, id)),
    };
    return queue as unknown as Queue;
  }

  #watchLocks(): void {
    this.scheduler.after(
      this.#random.between(0.5, 1) * stalledCheckMs,
      () => {
        for (const job of this.jobs.recoverStalled()) {
          const { queue, name, id } = job;
          this.scheduler.note(() => `queue ${queue}: ${name} ${id.slice(0, 6)} stalled`);
        }
        // Workers that stood still, or have just started, look for work by themselves.
        for (const { queue, state } of this.jobs.all()) if (state === "waiting") this.offer(queue);
        this.#watchLocks();
      },
      null,
    );
  }
}

type StepProcessor = (job: Job<StepJobData>, token: string) => Promise<unknown>;

/** A job in the hands of one worker: a snapshot, and the commands on it. */
export class ModelJob {
  readonly id: string;
  readonly name: string;
  readonly queueName: string;
  data: unknown;
  readonly attemptsStarted: number;
  readonly attemptsMade: number;
  readonly failedReason: string | undefined;
  readonly #store: ModelQueueStore;

  constructor(store: ModelQueueStore, job: StoredJob) {
    this.#store = store;
    this.id = job.id;
    this.name = job.name;
    this.queueName = job.queue;
    this.data = JSON.parse(job.data);
    this.attemptsStarted = job.attemptsStarted;
    this.attemptsMade = job.attemptsMade;
    this.failedReason = job.failedReason;
  }

  async getState(): Promise<string> {
    return this.#call("state", (job) => job?.state ?? "unknown");
  }

  async updateData(data: unknown): Promise<void> {
    const text = JSON.stringify(data);
    this.data = data;
    await this.#call("keep data", (job) => {
      if (job === undefined) throw new Error(`Missing key for job ${this.id}. updateData`);
      job.data = text;
    });
  }

  async updateProgress(): Promise<void> {
    await this.#call("progress", () => undefined);
  }

  async getChildrenValues(): Promise<Record<string, unknown>> {
    return this.#call("results of children", (job) =>
      Object.fromEntries(
        [...(job?.childValues ?? [])].map(([key, value]) => [key, JSON.parse(value) as unknown]),
      ),
    );
  }

  async extendLock(token: string, ms: number): Promise<number> {
    return this.#call("confirm lock", () =>
      this.#store.jobs.extendLock(this.queueName, this.id, token, ms),
    );
  }

  async moveToDelayed(timestamp: number, token: string): Promise<void> {
    const ms = timestamp - Date.now();
    await this.#call(`delay by ${ms} ms`, () => {
      this.#store.jobs.moveToDelayed(this.queueName, this.id, token, ms);
    });
  }

  async moveToWait(token: string): Promise<number> {
    return this.#call("back to wait", () => {
      this.#store.jobs.moveToWait(this.queueName, this.id, token);
      return 0;
    });
  }

  #call<Result>(what: string, effect: (job: StoredJob | undefined) => Result): Promise<Result> {
    return this.#store.call(`${this.name} ${this.id.slice(0, 6)}: ${what}`, () =>
      effect(this.#store.jobs.get(this.queueName, this.id)),
    );
  }
}

/** One worker of one queue in one node. */
class ModelWorker {
  readonly lockMs: number;
  readonly #store: ModelQueueStore;
  readonly #node: SimulatedNode;
  readonly #queue: string;
  readonly #processor: StepProcessor;
  readonly #options: LaneWorkerOptions;
  readonly #listeners = new Map<string, ((...args: readonly unknown[]) => void)[]>();
  #active = 0;
  #paused = false;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(
    store: ModelQueueStore,
    node: SimulatedNode,
    queue: string,
    processor: StepProcessor,
    options: LaneWorkerOptions,
  ) {
    this.#store = store;
    this.#node = node;
    this.#queue = queue;
    this.#processor = processor;
    this.#options = options;
    this.lockMs = options.lockDuration ?? 30_000;
  }

  on(event: string, listener: (...args: readonly unknown[]) => void): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  async pause(): Promise<void> {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#store.offer(this.#queue);
  }

  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#active === 0) this.#closing.resolve();
    await this.#closing.promise;
  }

  wants(queue: string): boolean {
    const free = this.#active < (this.#options.concurrency ?? 1);
    const { alive, frozenUntil } = this.#node;
    const awake = alive && frozenUntil <= this.#store.scheduler.now;
    const open = this.#closing === undefined && !this.#paused;
    return queue === this.#queue && free && awake && open;
  }

  take(job: StoredJob, token: string): void {
    this.#active += 1;
    const handle = this.#store.handle(job);
    const failure = job.deferredFailure;
    this.#store.scheduler.after(1, () => void this.#run(handle, token, failure), this.#node);
  }

  async #run(job: ModelJob, token: string, failure: string | undefined): Promise<void> {
    const renewing = setInterval(
      () => {
        job.extendLock(token, this.lockMs).catch(() => undefined);
      },
      this.#options.lockRenewTime ?? this.lockMs / 2,
    );
    try {
      if (failure !== undefined) throw new UnrecoverableError(failure);
      const result = await this.#processor(job as unknown as Job<StepJobData>, token);
      await this.#end(job, "completed", () => {
        this.#store.jobs.complete(this.#queue, job.id, token, result);
      });
    } catch (error) {
      if (error instanceof DelayedError || error instanceof WaitingError) return;
      await this.#end(
        job,
        "failed",
        () => {
          this.#store.jobs.fail(this.#queue, job.id, token, error);
        },
        error,
      );
    } finally {
      clearInterval(renewing);
      this.#active -= 1;
      if (this.#active === 0) this.#closing?.resolve();
      this.#store.offer(this.#queue);
    }
  }

  /** Says how a job ended. When the store does not take it, the job stalls and is given away. */
  async #end(
    job: ModelJob,
    event: "completed" | "failed",
    effect: () => void,
    ...facts: readonly unknown[]
  ): Promise<void> {
    try {
      await this.#store.call(`${job.name} ${job.id.slice(0, 6)}: ${event}`, effect);
      for (const listener of this.#listeners.get(event) ?? []) listener(job, ...facts);
    } catch (error) {
      for (const listener of this.#listeners.get("error") ?? []) listener(error);
    }
  }
}
