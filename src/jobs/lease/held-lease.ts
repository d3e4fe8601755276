import { setTimeout as sleep } from "node:timers/promises";
import type { IndexMark, LeaseHolder, LeaseRequest, LeaseStore } from "#jobs/lease/lease-store.ts";
import { leaseTiming, type LeaseTiming } from "#jobs/lease/lease-timing.ts";
import { EngineError } from "#model/engine-error.ts";

export interface HeldLeaseOptions {
  readonly store: LeaseStore;
  readonly holder: LeaseHolder;
  readonly timing?: LeaseTiming;
  readonly clocks?: LeaseClocks;
  /** Hears of renewals that failed; the lease may still be held. */
  readonly onError?: (error: EngineError) => void;
}

/** Two clocks that fail in different ways; the lease counts as held only while both say so. */
export interface LeaseClocks {
  /** Never set by anybody; may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Goes on while the machine sleeps; may be set. */
  wallMs(): number;
}

const systemClocks: LeaseClocks = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * A lease that this process was granted, renewed until it is released or lost. What it allows is
 * counted from before each request was sent, so the holder always stops before the store may
 * give the lease to somebody else.
 */
export class HeldLease {
  #epoch: number;
  readonly #options: HeldLeaseOptions;
  readonly #timing: LeaseTiming;
  readonly #clocks: LeaseClocks;
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  #until: Moment;
  #asking: Promise<void> | undefined;
  /** Goes with every renewal. */
  #mark: IndexMark | undefined;
  readonly #renewing: Promise<void>;

  private constructor(options: HeldLeaseOptions, epoch: number, until: Moment) {
    this.#options = options;
    this.#timing = options.timing ?? leaseTiming;
    this.#clocks = options.clocks ?? systemClocks;
    this.#epoch = epoch;
    this.#until = until;
    this.#renewing = this.#keepRenewing();
  }

  /** Asks for the lease once; undefined when somebody else holds it. */
  static async take(
    options: HeldLeaseOptions,
    request: Pick<LeaseRequest, "floor" | "takeFrom"> = {},
  ): Promise<HeldLease | undefined> {
    const timing = options.timing ?? leaseTiming;
    const until = later(options.clocks ?? systemClocks, timing);
    const { holder } = options;
    const answer = await options.store.acquire({ ...request, holder, ttlMs: timing.ttlMs });
    if (!answer.granted) return undefined;
    return new HeldLease(options, answer.epoch, until);
  }

  /** The fencing token: grows with every change of the holder. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Aborted, with a LOCKED error, once the lease is lost for good. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether nobody else can hold the lease at this moment. */
  get isCertain(): boolean {
    if (this.#lost.signal.aborted || this.#stop.signal.aborted) return false;
    const { monotonicMs, wallMs } = this.#until;
    return this.#clocks.monotonicMs() < monotonicMs && this.#clocks.wallMs() < wallMs;
  }

  /**
   * Throws LOCKED unless the lease is held for certain now. A holder that was late, and that
   * nobody replaced, gets it again under the same epoch; a store that is away is waited for a
   * little, so that its restart disturbs nobody.
   */
  async confirm(): Promise<void> {
    const askedAt = this.#clocks.monotonicMs();
    while (!this.isCertain) {
      if (this.#lost.signal.aborted || this.#stop.signal.aborted) throw this.#refusal();
      try {
        await this.#renew();
      } catch (error) {
        const waitedMs = this.#clocks.monotonicMs() - askedAt;
        if (waitedMs > this.#timing.ttlMs) throw this.#refusal(error);
        await sleep(retryAfterMs);
      }
    }
  }

  /** What the last holder noted who wrote its term; the same until this one notes something. */
  async lastMark(): Promise<IndexMark | undefined> {
    return await this.#patiently(() => this.#options.store.mark());
  }

  /** Notes what this holder wrote. Throws LOCKED unless the store has it now. */
  async note(mark: IndexMark): Promise<void> {
    this.#mark = mark;
    // A renewal under way says what was noted before; every later one says this.
    await this.#asking?.catch(() => undefined);
    await this.#patiently(() => this.#renew());
    if (this.#lost.signal.aborted) throw this.#refusal();
  }

  /** A store that does not answer is asked again until it cannot be held any more. */
  async #patiently<T>(question: () => Promise<T>): Promise<T> {
    const askedAt = this.#clocks.monotonicMs();
    for (;;) {
      try {
        return await question();
      } catch (error) {
        const waitedMs = this.#clocks.monotonicMs() - askedAt;
        if (waitedMs > this.#timing.ttlMs) throw this.#refusal(error);
        await sleep(retryAfterMs);
      }
    }
  }

  /** Has the next renewal note it. */
  noteSoon(mark: IndexMark): void {
    this.#mark = mark;
  }

  /** Goes above an epoch that became known from elsewhere, as when the store lost its record. */
  async raise(floor: number): Promise<void> {
    await this.#asking?.catch(() => undefined);
    await this.#ask(async () => {
      const until = later(this.#clocks, this.#timing);
      const { store, holder } = this.#options;
      const answer = await store.acquire({ holder, ttlMs: this.#timing.ttlMs, floor });
      if (!answer.granted) throw this.#giveUp();
      this.#epoch = answer.epoch;
      this.#until = until;
    });
  }

  /** Stops renewing and frees the lease, so that the next holder need not wait. */
  async release(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#renewing;
    const { store, holder } = this.#options;
    const mark = this.#mark;
    if (mark !== undefined && !this.#lost.signal.aborted) {
      await store.renew(holder, this.#epoch, this.#timing.ttlMs, mark).catch(() => undefined);
    }
    // What cannot be freed runs out.
    await store.release(holder, this.#epoch).catch(() => undefined);
  }

  async #keepRenewing(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#lost.signal.aborted) {
      await sleep(this.#timing.renewEveryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#renew().catch((error: unknown) => {
        this.#options.onError?.(EngineError.from(error));
      });
    }
  }

  /** Those who ask while a renewal is under way share its answer. */
  async #renew(): Promise<void> {
    await this.#ask(async () => {
      const until = later(this.#clocks, this.#timing);
      const { store, holder } = this.#options;
      const { ttlMs } = this.#timing;
      if (await store.renew(holder, this.#epoch, ttlMs, this.#mark)) this.#until = until;
      else this.#giveUp();
    });
  }

  async #ask(question: () => Promise<void>): Promise<void> {
    this.#asking ??= question().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  #giveUp(): EngineError {
    const error = this.#refusal();
    if (!this.#lost.signal.aborted) this.#lost.abort(error);
    return error;
  }

  #refusal(cause?: unknown): EngineError {
    const known: unknown = this.#lost.signal.reason;
    if (known instanceof EngineError) return known;
    return new EngineError(
      "LOCKED",
      `the controller lease of epoch ${this.#epoch} is not held for certain any more: ` +
        "another controller may be active",
      { hint: "start this controller again: it then waits as standby", cause },
    );
  }
}

/** While the store is away, a write that waits for the lease asks this often. */
const retryAfterMs = 250;

interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

function later(clocks: LeaseClocks, { ttlMs, marginMs }: LeaseTiming): Moment {
  const validMs = ttlMs - marginMs;
  return { monotonicMs: clocks.monotonicMs() + validMs, wallMs: clocks.wallMs() + validMs };
}
