import { type BucketClock, realClock, TokenBucket } from "#jobs/limits/token-bucket.ts";
import type { LimitUse } from "#model/backend-limits.ts";

/** A node may soon use somewhat more than it does; asking for that keeps it from waiting. */
const headRoom = 1.5;

/** A bucket that knows how much of it is used. */
export class MeteredBucket {
  readonly bucket: TokenBucket;
  readonly #clock: BucketClock;
  #used = 0;
  #waits = 0;
  #since: number;

  constructor(burst: {
    readonly burstMs: number;
    readonly burstMin: number;
    readonly clock?: BucketClock;
  }) {
    this.#clock = burst.clock ?? realClock;
    this.bucket = new TokenBucket({ ...burst, rate: undefined });
    this.#since = this.#clock.now();
  }

  takeNow(count: number): boolean {
    const taken = this.bucket.takeNow(count);
    if (taken) this.#used += count;
    return taken;
  }

  async take(count: number, signal?: AbortSignal): Promise<void> {
    await this.bucket.take(count, signal);
    this.#used += count;
  }

  charge(count: number): void {
    this.#used += count;
    this.bucket.charge(count);
  }

  /** The use since the last question. */
  use(): LimitUse {
    const now = this.#clock.now();
    const { rate: holding, busy, waits } = this.bucket;
    const perSecond = (this.#used * 1_000) / Math.max(1, now - this.#since);
    const hungry = busy || waits > this.#waits;
    this.#used = 0;
    this.#waits = waits;
    this.#since = now;
    const wanted = hungry ? null : perSecond * headRoom;
    return holding === undefined ? { wanted } : { wanted, holding };
  }
}
