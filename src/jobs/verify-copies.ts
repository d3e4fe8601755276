import { strongestCheck, type Place } from "#jobs/deliver.ts";
import { OrderedTasks } from "#jobs/ordered-tasks.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { Evidence, ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { VerifyProgress } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { IndexStore } from "#model/index-store.ts";

/** A copy that the index believes in. */
export interface CopyToVerify {
  readonly object: ObjectRef;
  readonly backend: string;
  /** What people call the object, when it has a name. */
  readonly path?: string | undefined;
}

export interface VerifyOptions {
  /** How many copies there are to check, for the share that is done; 0 when unknown. */
  readonly total?: number;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/** Evidence goes into the index this much at a time. */
const batchEvidence = 1_000;
const progressEveryMs = 200;
const limits = { running: 8, pending: 1_000 };

/**
 * Has backends check copies, each as strongly as it can, and records every finding. A copy that
 * is corrupt or gone is a problem that is told with its place and the remedy; a copy that could
 * not be checked (its backend does not answer) is a problem too, and no finding. What was found
 * before the caller stops, or a signal fires, is recorded.
 */
export async function* verifyCopies(
  copies: AsyncIterable<CopyToVerify>,
  drivers: ReadonlyMap<string, Driver>,
  index: Pick<IndexStore, "recordEvidence">,
  options: VerifyOptions = {},
): AsyncGenerator<VerifyProgress> {
  yield* new Verification(drivers, index, options).run(copies);
}

type Outcome =
  | { readonly copy: CopyToVerify; readonly evidence: Evidence }
  | { readonly copy: CopyToVerify; readonly error: EngineError };

class Verification {
  readonly #drivers: ReadonlyMap<string, Driver>;
  readonly #index: Pick<IndexStore, "recordEvidence">;
  readonly #options: VerifyOptions;
  readonly #tasks = new OrderedTasks<Outcome>(limits);
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #startedAt: number;
  #reportedAt: number;
  #evidence: Evidence[] = [];
  #copies = 0;
  #bytes = 0;
  readonly #found = { present: 0, absent: 0, corrupt: 0 };

  constructor(
    drivers: ReadonlyMap<string, Driver>,
    index: Pick<IndexStore, "recordEvidence">,
    options: VerifyOptions,
  ) {
    this.#drivers = drivers;
    this.#index = index;
    this.#options = options;
    const { signal } = this.#stop;
    this.#signal = options.signal ? AbortSignal.any([signal, options.signal]) : signal;
    this.#startedAt = this.#date().getTime();
    this.#reportedAt = this.#startedAt;
  }

  async *run(copies: AsyncIterable<CopyToVerify>): AsyncGenerator<VerifyProgress> {
    try {
      for await (const copy of copies) {
        yield* this.#settle();
        while (!this.#tasks.hasRoom) {
          await this.#tasks.waitForAny(progressEveryMs);
          yield* this.#settle();
        }
        this.#tasks.add(() => this.#check(copy));
      }
      while (this.#tasks.pending > 0) {
        await this.#tasks.waitForAny(progressEveryMs);
        yield* this.#settle();
      }
    } finally {
      this.#stop.abort();
      await this.#settleRest();
    }
    yield this.#progress("summary");
  }

  async #check(copy: CopyToVerify): Promise<Outcome> {
    const { object, backend } = copy;
    try {
      const driver = this.#drivers.get(backend);
      if (!driver) throw backendNotHere(backend);
      const place: Place = { backend, driver };
      const call = { signal: this.#signal };
      const evidence = await runWithRetries(() => strongestCheck(object, place, call), call);
      return { copy, evidence };
    } catch (thrown) {
      // However it showed: what ends after the signal ends because of it.
      const error = this.#signal.aborted ? cancelled(thrown) : EngineError.from(thrown);
      return { copy, error };
    }
  }

  async *#settle(): AsyncGenerator<VerifyProgress> {
    for (const outcome of this.#tasks.take()) {
      const message = this.#account(outcome);
      if (message !== undefined) yield { ...this.#progress("problem"), message };
    }
    if (this.#evidence.length >= batchEvidence) await this.#record();
    const now = this.#date().getTime();
    if (now - this.#reportedAt >= progressEveryMs) yield this.#progress("progress");
  }

  /** Counts an outcome; returns what is to be told of it, if anything. */
  #account(outcome: Outcome): string | undefined {
    if ("error" in outcome) {
      if (outcome.error.code === "CANCELLED") throw outcome.error;
      this.#copies += 1;
      return couldNotCheck(outcome.copy, outcome.error);
    }
    const { copy, evidence } = outcome;
    this.#copies += 1;
    this.#bytes += evidence.bytesRead;
    this.#found[evidence.finding] += 1;
    this.#evidence.push(evidence);
    return evidence.finding === "present" ? undefined : damage(copy, evidence);
  }

  async #settleRest(): Promise<void> {
    while (this.#tasks.pending > 0) {
      for (const outcome of this.#tasks.take()) {
        if ("evidence" in outcome) this.#account(outcome);
      }
      if (this.#tasks.pending > 0) await this.#tasks.waitForAny(progressEveryMs);
    }
    await this.#record();
  }

  async #record(): Promise<void> {
    if (this.#evidence.length === 0) return;
    await this.#index.recordEvidence(this.#evidence, this.#date());
    this.#evidence = [];
  }

  #progress(type: VerifyProgress["type"]): VerifyProgress {
    const now = this.#date().getTime();
    this.#reportedAt = now;
    return {
      type,
      copies: this.#copies,
      total: this.#options.total ?? 0,
      bytes: this.#bytes,
      verified: this.#found.present,
      absent: this.#found.absent,
      corrupt: this.#found.corrupt,
      elapsedMs: now - this.#startedAt,
    };
  }

  #date(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

function damage({ object, backend, path }: CopyToVerify, evidence: Evidence): string {
  const what = path === undefined ? object.cid : `${path} (${object.cid})`;
  const found = evidence.finding === "corrupt" ? "is corrupt" : "is gone";
  const why = `${backend}: ${what} ${found}: ${evidence.method}`;
  return `${why}. It counts as a copy no longer; rules that ensure copies make a new one from another`;
}

function couldNotCheck({ object, backend, path }: CopyToVerify, error: EngineError): string {
  const what = path === undefined ? object.cid : `${path} (${object.cid})`;
  const hint = error.hint === undefined ? "" : `: ${error.hint}`;
  return `${backend}: ${what} could not be checked: ${error.message}${hint}`;
}

function backendNotHere(backend: string): EngineError {
  return new EngineError("NOT_FOUND", `there is no backend "${backend}" here`, {
    hint: "it is in the index but not in the configuration: add it again, or evacuate it",
  });
}

function cancelled(cause: unknown): EngineError {
  return new EngineError("CANCELLED", "the check was cancelled", { cause });
}
