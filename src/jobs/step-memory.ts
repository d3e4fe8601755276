import type { Job } from "bullmq";
import type { Evidence } from "#model/copy.ts";
import type { ActOutcome, CopyOutcome, RemoveOutcome } from "#model/run.ts";
import {
  pack,
  progressOf,
  unpack,
  type StepAside,
  type StepJobData,
  type StepProgress,
} from "#jobs/step-job.ts";

/**
 * What a killed worker loses at most. Each save writes all outcomes so far, so counting objects
 * as well would write a batch of small ones ten times within a moment.
 */
const saveEveryMs = 500;
/** How old the bytes that people see may be, while one large object is on its way. */
const tellEveryMs = 2_000;

/** A finished object: which kind depends on the step, and a step has only one. */
type Outcome = CopyOutcome | ActOutcome | RemoveOutcome;

/**
 * What a job has done so far, kept in the job's own data, so that whoever takes the job over
 * goes on there. Saving is spaced out and never runs twice at a time.
 */
export class StepMemory {
  readonly #job: Job<StepJobData>;
  readonly #outcomes = new Map<number, Outcome>();
  #evidence: readonly Evidence[] = [];
  #foundIn: number | undefined;
  #saving: Promise<void> | undefined;
  #savedAt = Date.now();
  #toldAt = Date.now();
  #bytes = 0;
  #resumedBytes = 0;
  #total = 0;

  private constructor(job: Job<StepJobData>) {
    this.#job = job;
  }

  static async of(job: Job<StepJobData>): Promise<StepMemory> {
    const memory = new StepMemory(job);
    const { checkpoint, evidence, foundIn } = job.data;
    memory.#foundIn = foundIn;
    const outcomes = checkpoint === undefined ? [] : await unpack<readonly Outcome[]>(checkpoint);
    memory.#evidence = evidence === undefined ? [] : await unpack<readonly Evidence[]>(evidence);
    for (const outcome of outcomes) memory.#outcomes.set(outcome.sequence, outcome);
    return memory;
  }

  /** How many objects the step has in all, for progress. */
  expect(total: number): void {
    this.#total = total;
  }

  has(sequence: number): boolean {
    return this.#outcomes.has(sequence);
  }

  /** All outcomes in plan order. */
  outcomes(): readonly Outcome[] {
    return [...this.#outcomes.values()].toSorted((a, b) => a.sequence - b.sequence);
  }

  /** How many objects ended in which way, and the bytes that this process moved, or found moved. */
  tally(): Readonly<
    Record<Exclude<Outcome["outcome"], "expired"> | "objects" | "bytes" | "resumedBytes", number>
  > {
    const tally = { done: 0, skipped: 0, failed: 0, cancelled: 0 };
    for (const { outcome } of this.#outcomes.values()) {
      if (outcome !== "expired") tally[outcome] += 1;
    }
    const [bytes, resumedBytes] = [this.#bytes, this.#resumedBytes];
    return { objects: this.#total, ...tally, bytes, resumedBytes };
  }

  /** Notes bytes that went to the target; now and then this tells those who watch the job. */
  moved(bytes: number): void {
    this.#bytes += bytes;
    if (Date.now() - this.#toldAt < tellEveryMs) return;
    // Only who watches misses something when it fails.
    this.#tell(undefined).catch(() => undefined);
  }

  /** Notes bytes that the target had of an earlier try, so that they were not sent. */
  resumed(bytes: number): void {
    this.#resumedBytes += bytes;
  }

  /** Notes a finished object; now and then this saves in the background. */
  add(outcome: Outcome): void {
    this.#outcomes.set(outcome.sequence, outcome);
    const now = Date.now();
    if (now - this.#savedAt < saveEveryMs || this.#saving !== undefined) return;
    // At once, for a group of objects is added before the save has begun.
    this.#savedAt = now;
    // A save that fails costs repeated work after a crash, nothing else; the next one may pass.
    this.save().catch(() => undefined);
  }

  /**
   * Keeps evidence with the job before the removals that rest on it, beside what was kept about
   * `open` objects before: an earlier worker, or an earlier try, may have removed them by that. Of
   * one copy the first finding and the last are kept, whoever made the removal in between.
   */
  async keepEvidence(evidence: readonly Evidence[], open: ReadonlySet<string>): Promise<void> {
    const first = new Map<string, Evidence>();
    const last = new Map<string, Evidence>();
    for (const found of [...this.#evidence.filter(({ cid }) => open.has(cid)), ...evidence]) {
      const copy = `${found.cid} ${found.backend}`;
      if (!first.has(copy)) first.set(copy, found);
      last.set(copy, found);
    }
    this.#evidence = [...new Set([...first.values(), ...last.values()])];
    await this.save();
  }

  /** What removals of one object may have rested on, by this worker or an earlier one. */
  evidenceFor(cid: string): readonly Evidence[] {
    return this.#evidence.filter((evidence) => evidence.cid === cid);
  }

  /**
   * Whether this controller has recorded what the step before found, in an earlier try. What another
   * one recorded does not count: the index may be an older one since.
   */
  hasRecordedFindings(epoch: number): boolean {
    return this.#foundIn === epoch;
  }

  /** Is kept with the job when it steps aside; a try after a crash records the findings again. */
  findingsRecorded(epoch: number): void {
    this.#foundIn = epoch;
  }

  /** Writes everything so far into the job. */
  async save(outages = 0, aside?: StepAside): Promise<void> {
    await this.#saving?.catch(() => undefined);
    this.#saving = this.#write(outages, aside).finally(() => {
      this.#saving = undefined;
    });
    await this.#saving;
  }

  async #write(outages: number, aside: StepAside | undefined): Promise<void> {
    this.#savedAt = Date.now();
    const { checkpoint: _old, evidence: _stale, outages: _count, ...step } = this.#job.data;
    const data: StepJobData = {
      ...step,
      checkpoint: await pack(this.outcomes()),
      ...(this.#evidence.length === 0 ? {} : { evidence: await pack(this.#evidence) }),
      ...(this.#foundIn === undefined ? {} : { foundIn: this.#foundIn }),
      ...(outages === 0 ? {} : { outages }),
    };
    await this.#job.updateData(data);
    await this.#tell(aside);
  }

  async #tell(aside: StepAside | undefined): Promise<void> {
    this.#toldAt = Date.now();
    const progress: StepProgress = {
      done: this.#outcomes.size,
      total: this.#total,
      bytes: this.#bytes,
      ...(aside === undefined ? {} : this.#waiting(aside)),
    };
    await this.#job.updateProgress(progress);
  }

  /** It looked in vain again: the wait is still the one that began earlier. */
  #waiting({ reason, message }: StepAside): Pick<StepProgress, "waiting" | "reason" | "since"> {
    const before = progressOf(this.#job);
    const since = before.reason === reason ? before.since : undefined;
    return { waiting: message, reason, since: since ?? new Date().toISOString() };
  }
}
