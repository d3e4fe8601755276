import { setTimeout as sleep } from "node:timers/promises";
import type { EngineContext } from "#engine/context.ts";
import { type DueCopy, dueCopies, dueCopy } from "#engine/scrub/due-copies.ts";
import { verifyCopies } from "#jobs/verify-copies.ts";
import { EngineError } from "#model/engine-error.ts";
import { toStatement } from "#policies/sql-fragment.ts";

const dayMs = 24 * 3_600_000;
/** The budget of a day is spent in this many pieces, so that the load is even. */
const lookEveryMs = 10 * 60_000;
/** More than so many problems of one look are counted, not told. */
const problemsMax = 20;
const statusTimeoutMs = 10_000;

/** What scrubbing needs of the engine. */
export interface ScrubContext extends Pick<EngineContext, "config" | "index" | "now"> {
  readonly pool: Pick<EngineContext["pool"], "names" | "driver" | "openAll">;
}

/** What one look did. */
export interface ScrubLook {
  readonly copies: number;
  readonly bytes: number;
  readonly damaged: number;
}

/**
 * Reads copies again while this process is the controller, the longest unproven first, no more
 * than the budget of a day. What is found damaged or gone opens a repair like any other check.
 * Credit grows with time from the start on, so that no restart spends the budget twice; a copy
 * larger than the credit is read once there is any, and paid for afterwards.
 */
export class Scrubbing {
  readonly #context: ScrubContext;
  readonly #onError: (error: EngineError) => void;
  readonly #stop = new AbortController();
  #creditBytes = 0;
  #creditAt: number;
  #loop: Promise<void> | undefined;

  constructor(context: ScrubContext, onError: (error: EngineError) => void) {
    this.#context = context;
    this.#onError = onError;
    this.#creditAt = context.now().getTime();
  }

  /** Does nothing when the configuration has no budget. */
  start(): void {
    if (this.#context.config.scrub.bytesPerDay === undefined) return;
    this.#loop ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Checks as many copies as the credit of this moment allows. */
  async look(): Promise<ScrubLook> {
    this.#grant();
    const due = this.#creditBytes > 0 ? await this.#due() : [];
    return due.length === 0 ? nothing : await this.#check(due);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.look().catch((thrown: unknown) => this.#report(thrown));
    }
  }

  #grant(): void {
    const now = this.#context.now().getTime();
    const { bytesPerDay = 0 } = this.#context.config.scrub;
    const passedMs = Math.max(0, now - this.#creditAt);
    this.#creditAt = now;
    const earned = Math.floor((bytesPerDay * passedMs) / dayMs);
    this.#creditBytes = Math.min(bytesPerDay, this.#creditBytes + earned);
  }

  async #due(): Promise<readonly DueCopy[]> {
    const { index, now, config } = this.#context;
    const backends = await this.#backends();
    if (backends.length === 0) return [];
    const before = new Date(now().getTime() - config.scrub.olderThanMs);
    await using session = await index.session();
    const request = { bytes: this.#creditBytes, before, backends };
    const rows = await session.rows(toStatement(dueCopies(request)));
    return rows.map((row) => dueCopy(row));
  }

  /** Those that answer now and nobody paused: others would only take the turns of these. */
  async #backends(): Promise<readonly string[]> {
    const { config, pool, index } = this.#context;
    const pauses = await index.controls.pauses();
    if (pauses.some(({ scope }) => scope === "everything")) return [];
    const paused = new Set(pauses.filter(({ scope }) => scope === "backend").map((p) => p.name));
    const wanted = config.scrub.backends.length === 0 ? pool.names : config.scrub.backends;
    const answering: string[] = [];
    for (const name of wanted.filter((candidate) => !paused.has(candidate))) {
      const driver = await pool.driver(name).catch(() => undefined);
      const signal = AbortSignal.timeout(statusTimeoutMs);
      const status = await driver?.status({ signal }).catch(() => undefined);
      if (status !== undefined) answering.push(name);
    }
    return answering;
  }

  async #check(due: readonly DueCopy[]): Promise<ScrubLook> {
    const { index, pool, now } = this.#context;
    const { drivers } = await pool.openAll();
    const paid = this.#paid(due);
    const options = { total: due.length, signal: this.#stop.signal, now };
    let told = 0;
    let last: ScrubLook = nothing;
    for await (const step of verifyCopies(paid, drivers, index, options)) {
      last = { copies: step.copies, bytes: step.bytes, damaged: step.absent + step.corrupt };
      if (step.type !== "problem" || told >= problemsMax) continue;
      told += 1;
      const hint = "`thermocline repairs` shows what is made good";
      this.#onError(new EngineError("CORRUPT", `scrubbing: ${step.message ?? ""}`, { hint }));
    }
    return last;
  }

  async *#paid(due: readonly DueCopy[]): AsyncGenerator<DueCopy> {
    for (const copy of due) {
      this.#creditBytes -= copy.bytes;
      yield await Promise.resolve(copy);
    }
  }

  #report(thrown: unknown): void {
    if (this.#stop.signal.aborted) return;
    const { code, message, cause } = EngineError.from(thrown);
    this.#onError(new EngineError(code, `scrubbing failed: ${message}`, { cause }));
  }
}

const nothing: ScrubLook = { copies: 0, bytes: 0, damaged: 0 };
