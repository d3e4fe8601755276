import type { FlowJob } from "bullmq";
import { isLocked, jobKey, retryDelayMs, type StoredJob } from "./model-job.ts";

/**
 * What the queue store holds, and its commands: each is one atomic step, as BullMQ's scripts and
 * transactions are. Follows BullMQ 6.7 as far as the engine uses it.
 */
export class StoredJobs {
  readonly #jobs = new Map<string, StoredJob>();
  readonly #now: () => number;
  /** Most jobs that were not finished at one time, by queue. */
  readonly peak = new Map<string, number>();
  readonly #changed: (queue: string) => void;

  constructor(now: () => number, changed: (queue: string) => void) {
    this.#now = now;
    this.#changed = changed;
  }

  get(queue: string, id: string): StoredJob | undefined {
    return this.#jobs.get(jobKey(queue, id));
  }

  all(): readonly StoredJob[] {
    return [...this.#jobs.values()];
  }

  /** The store was lost: nothing is left. */
  clear(): void {
    this.#jobs.clear();
  }

  /** Adds flows, all or none; a job whose id is there already stays as it is. */
  addFlow(flow: FlowJob, parent?: StoredJob["parent"]): void {
    const id = flow.opts?.jobId ?? "";
    const { queueName: queue } = flow;
    const children = flow.children ?? [];
    const ids = children.map((child) => ({ queue: child.queueName, id: child.opts?.jobId ?? "" }));
    if (!this.#jobs.has(jobKey(queue, id))) {
      this.#jobs.set(jobKey(queue, id), {
        id,
        name: flow.name,
        queue,
        opts: flow.opts ?? {},
        parent,
        data: JSON.stringify(flow.data),
        state: children.length > 0 ? "waiting-children" : "waiting",
        openChildren: new Set(ids.map((child) => jobKey(child.queue, child.id))),
        children: ids,
        childValues: new Map(),
        attemptsStarted: 0,
        attemptsMade: 0,
        failedReason: undefined,
        deferredFailure: undefined,
        lock: undefined,
        delayedUntil: 0,
      });
    }
    for (const child of children) this.addFlow(child, { queue, id });
    const open = this.all().filter((job) => job.queue === queue && !ended(job)).length;
    this.peak.set(queue, Math.max(this.peak.get(queue) ?? 0, open));
    this.#changed(queue);
  }

  waiting(queue: string): readonly StoredJob[] {
    return this.all().filter((job) => job.queue === queue && job.state === "waiting");
  }

  activate(job: StoredJob, token: string, lockMs: number): void {
    job.state = "active";
    job.attemptsStarted += 1;
    job.lock = { token, until: this.#now() + lockMs };
  }

  /** 1 when the lock was still the caller's. */
  extendLock(queue: string, id: string, token: string, lockMs: number): number {
    const job = this.get(queue, id);
    if (job?.lock?.token !== token || !isLocked(job, this.#now())) return 0;
    job.lock.until = this.#now() + lockMs;
    return 1;
  }

  complete(queue: string, id: string, token: string, value: unknown): void {
    const job = this.#owned(queue, id, token);
    const parent = job.parent && this.get(job.parent.queue, job.parent.id);
    job.lock = undefined;
    job.state = "completed";
    if (parent !== undefined) {
      parent.childValues.set(jobKey(queue, id), JSON.stringify(value));
      this.#childEnded(parent, job);
    }
    if (job.opts.removeOnComplete === true) this.#jobs.delete(jobKey(queue, id));
  }

  /** A processor threw: the job is delayed for its next attempt, or fails for good. */
  fail(queue: string, id: string, token: string, error: unknown): "again" | "failed" {
    const job = this.#owned(queue, id, token);
    const delayMs = retryDelayMs(job, error);
    job.attemptsMade += 1;
    job.lock = undefined;
    job.failedReason = error instanceof Error ? error.message : String(error);
    if (delayMs !== undefined) {
      this.#delay(job, delayMs);
      return "again";
    }
    this.#failed(job);
    return "failed";
  }

  moveToDelayed(queue: string, id: string, token: string, ms: number): void {
    const job = this.#owned(queue, id, token);
    job.lock = undefined;
    this.#delay(job, ms);
  }

  moveToWait(queue: string, id: string, token: string): void {
    const job = this.#owned(queue, id, token);
    job.lock = undefined;
    this.#wait(job);
  }

  /** Workers look for jobs whose lock has run out; a job is given to somebody else then. */
  recoverStalled(): readonly StoredJob[] {
    const stalled = this.all().filter(
      (job) => job.state === "active" && !isLocked(job, this.#now()),
    );
    for (const job of stalled) this.#wait(job);
    return stalled;
  }

  promoteDelayed(): void {
    for (const job of this.#jobs.values()) {
      if (job.state === "delayed" && job.delayedUntil <= this.#now()) this.#wait(job);
    }
  }

  /** 0 when a worker holds the job or one of those below it. */
  remove(queue: string, id: string): 0 | 1 {
    const job = this.get(queue, id);
    if (job === undefined) return 1;
    const below = this.#below(job);
    if (below.some((one) => isLocked(one, this.#now()))) return 0;
    for (const one of below) this.#jobs.delete(jobKey(one.queue, one.id));
    return 1;
  }

  #below(job: StoredJob): readonly StoredJob[] {
    const children = job.children.flatMap((child) => {
      const found = this.get(child.queue, child.id);
      return found === undefined ? [] : [found];
    });
    return [job, ...children.flatMap((child) => this.#below(child))];
  }

  #owned(queue: string, id: string, token: string): StoredJob {
    const job = this.get(queue, id);
    if (job === undefined) throw new Error(`Missing key for job ${id}`);
    if (job.lock?.token === token && isLocked(job, this.#now())) return job;
    throw new Error(`Missing lock for job ${id}`);
  }

  #wait(job: StoredJob): void {
    job.state = "waiting";
    this.#changed(job.queue);
  }

  #delay(job: StoredJob, ms: number): void {
    job.state = "delayed";
    job.delayedUntil = this.#now() + ms;
    this.#changed(job.queue);
  }

  #failed(job: StoredJob): void {
    job.state = "failed";
    const parent = job.parent && this.get(job.parent.queue, job.parent.id);
    if (parent === undefined || job.opts.failParentOnFailure !== true) return;
    parent.deferredFailure = `child ${job.queue}:${job.id} failed`;
    this.#childEnded(parent, job);
  }

  #childEnded(parent: StoredJob, child: StoredJob): void {
    parent.openChildren.delete(jobKey(child.queue, child.id));
    if (parent.state !== "waiting-children") return;
    if (parent.openChildren.size === 0 || parent.deferredFailure !== undefined) this.#wait(parent);
  }
}

function ended(job: StoredJob): boolean {
  return job.state === "completed" || job.state === "failed";
}
