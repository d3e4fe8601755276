import { EngineError } from "#model/engine-error.ts";

/** Where a bucket gets its time from; tests bring their own. */
export interface BucketClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once, later; what it gives takes that back. */
  after(ms: number, act: () => void): () => void;
}

export const realClock: BucketClock = {
  now: () => performance.now(),
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

interface Waiter {
  readonly wanted: number;
  /** What it has so far: a request beyond the burst is filled over time. */
  collected: number;
  readonly grant: () => void;
}

/**
 * Tokens that come in at a rate and are given out in the order of asking: never more than
 * rate × time + burst, also within any time span when nobody asks for more than a burst at
 * once. The rate may change while callers wait, and holds at once. A caller that gives up
 * leaves what it had collected to the others.
 */
export class TokenBucket {
  readonly #clock: BucketClock;
  readonly #burstMs: number;
  readonly #burstMin: number;
  #rate: number | undefined;
  #tokens = 0;
  #countedAt: number;
  #heldUntil = 0;
  #waiters: Waiter[] = [];
  #waits = 0;
  #cancelTimer: (() => void) | undefined;

  /** `burstMs`: tokens of so much time may be saved up, and never fewer than `burstMin`. */
  constructor(options: {
    /** Tokens per second; undefined gives without bound, 0 nothing. */
    readonly rate: number | undefined;
    readonly burstMs: number;
    readonly burstMin: number;
    readonly clock?: BucketClock;
  }) {
    this.#clock = options.clock ?? realClock;
    this.#burstMs = options.burstMs;
    this.#burstMin = options.burstMin;
    this.#rate = options.rate;
    this.#tokens = this.burst;
    this.#countedAt = this.#clock.now();
  }

  get rate(): number | undefined {
    return this.#rate;
  }

  /** Most tokens that can be saved up at the present rate. */
  get burst(): number {
    return Math.max(((this.#rate ?? 0) * this.#burstMs) / 1_000, this.#burstMin);
  }

  /** Whether somebody waits. */
  get busy(): boolean {
    return this.#waiters.length > 0;
  }

  /** How many callers had to wait so far. */
  get waits(): number {
    return this.#waits;
  }

  /** When a hold ends, on this bucket's clock; in the past when there is none. */
  get heldUntil(): number {
    return this.#heldUntil;
  }

  setRate(rate: number | undefined): void {
    if (rate === this.#rate) return;
    this.#accrue();
    const before = this.burst;
    this.#rate = rate;
    // What was saved up under another rate is worth no more than a burst under this one.
    if (this.burst < before) this.#tokens = Math.min(this.#tokens, this.burst);
    this.#serve();
  }

  /** Gives nothing until then, whatever has been saved up. */
  holdUntil(time: number): void {
    this.#heldUntil = time;
    this.#serve();
  }

  /** Takes them if that needs no waiting. */
  takeNow(count: number): boolean {
    return this.#waiters.length === 0 && this.#takeNow(count);
  }

  /** Resolves when `count` tokens are the caller's. Throws when the signal is aborted. */
  async take(count: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw EngineError.from(signal.reason, "CANCELLED");
    if (this.takeNow(count)) return;
    this.#waits += 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { wanted: count, collected: 0, grant: resolve };
    const giveUp = (): void => {
      this.#waiters = this.#waiters.filter((candidate) => candidate !== waiter);
      this.#tokens = Math.min(this.#tokens + waiter.collected, this.burst);
      reject(EngineError.from(signal?.reason, "CANCELLED"));
      this.#serve();
    };
    this.#waiters.push(waiter);
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#serve();
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** Counts what was used already; later takers wait until that is made good. */
  charge(count: number): void {
    if (this.#rate === undefined) return;
    this.#accrue();
    this.#tokens -= count;
  }

  #takeNow(count: number): boolean {
    if (this.#clock.now() < this.#heldUntil) return false;
    if (this.#rate === undefined) return true;
    this.#accrue();
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  #accrue(): void {
    const now = this.#clock.now();
    const came = ((this.#rate ?? 0) * (now - this.#countedAt)) / 1_000;
    this.#countedAt = now;
    this.#tokens = Math.min(this.#tokens + came, this.burst);
  }

  #serve(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (;;) {
      const [first] = this.#waiters;
      if (first === undefined) return;
      const waitMs = this.#fill(first);
      if (waitMs > 0) {
        if (waitMs === Infinity) return;
        // A timer may fire a little early: then there is a little more to wait for.
        this.#cancelTimer = this.#clock.after(Math.ceil(waitMs), () => {
          this.#serve();
        });
        return;
      }
      this.#waiters.shift();
      first.grant();
    }
  }

  /** Gives the first in line what there is; how long it waits for the rest, 0 when it has all. */
  #fill(waiter: Waiter): number {
    const held = this.#heldUntil - this.#clock.now();
    if (held > 0) return held;
    if (this.#rate === undefined) return 0;
    this.#accrue();
    const missing = waiter.wanted - waiter.collected;
    const given = Math.min(missing, Math.max(0, this.#tokens));
    waiter.collected += given;
    this.#tokens -= given;
    // Less than a millionth of a token is the rounding of our own arithmetic.
    if (missing - given < 1e-6) return 0;
    if (this.#rate === 0) return Infinity;
    // Not more than a burst at a time: beyond that nothing would be saved up for it.
    const next = Math.min(missing - given, this.burst) - Math.min(0, this.#tokens);
    return (next / this.#rate) * 1_000;
  }
}
