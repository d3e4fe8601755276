import { MeteredBucket } from "#jobs/limits/metered-bucket.ts";
import type { TokenBucket } from "#jobs/limits/token-bucket.ts";
import type { BackendShare, BackendUse } from "#model/backend-limits.ts";
import { type ByteStream, groupBytesMax, groupObjectsMax } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";

export type Direction = "upload" | "download";

/** What a node could not use between two objects is saved up for a moment, not lost. */
export const bytesBurst = { burstMs: 500, burstMin: 64 * 1024 };
/** Pieces pass on in parts of about this time, so that a slow stream does not stutter. */
const partMs = 100;
/** Calls come in crowds: those of a second may begin together. */
const requestsBurst = { burstMs: 1_000, burstMin: 1 };
/** A node that did nothing on a backend for so long needs no share of its limits. */
const idleAfterMs = 2_000;
/** For longer than this no call waits for a backend: the job steps aside. */
const patienceMaxMs = 30_000;

/** Each object of a group is written and checked. */
export const callsToStore = 2;

export interface ThrottleOptions {
  readonly backend: string;
  /** The node's own bound on bytes, over all backends. */
  readonly node: Readonly<Record<Direction, TokenBucket>>;
  /** Has the shares brought up to date when they are too old; undefined when they are not. */
  readonly refresh: () => Promise<void> | undefined;
  /** The backend asks to slow down: everybody should hear of it soon. */
  readonly onHold: () => void;
}

/** What one node may ask of one backend: its share of the limits, which changes as it works. */
export class Throttle {
  readonly upload = new MeteredBucket(bytesBurst);
  readonly download = new MeteredBucket(bytesBurst);
  readonly #requests = new MeteredBucket(requestsBurst);
  readonly #options: ThrottleOptions;
  #usedAt = -Infinity;
  #reportHold = false;

  constructor(options: ThrottleOptions) {
    this.#options = options;
  }

  /** Lets one call through, or a number of them, when they may be made. */
  async request(signal?: AbortSignal, calls = 1): Promise<void> {
    this.#usedAt = performance.now();
    await this.#options.refresh();
    const heldMs = this.#requests.bucket.heldUntil - performance.now();
    if (heldMs > patienceMaxMs) throw this.#held(heldMs);
    if (!this.#requests.takeNow(calls)) await this.#requests.take(calls, signal);
  }

  /** Passes a stream on no faster than its bytes may go. */
  pace(direction: Direction, stream: ByteStream, signal?: AbortSignal): ByteStream {
    if (!(stream instanceof SinglePiece)) return this.#pacePieces(direction, stream, signal);
    return stream.through(async (bytes) => {
      for (let at = 0; at < bytes.length;) {
        const part = this.#part(direction, bytes, at);
        await this.#bytes(direction, part.length, signal);
        at += part.length;
      }
      return bytes;
    });
  }

  async *#pacePieces(direction: Direction, stream: ByteStream, signal?: AbortSignal): ByteStream {
    for await (const piece of stream) {
      for (let at = 0; at < piece.length;) {
        const part = at === 0 ? this.#part(direction, piece) : this.#part(direction, piece, at);
        await this.#bytes(direction, part.length, signal);
        at += part.length;
        yield part;
      }
    }
  }

  /**
   * Whether the largest group of objects may pass at once. One that has to be saved up for would
   * keep others waiting and then go faster than it may.
   */
  get takesGroups(): boolean {
    const buckets = [
      this.upload.bucket,
      this.download.bucket,
      ...Object.values(this.#options.node),
    ];
    const { rate, burst } = this.#requests.bucket;
    return (
      (rate === undefined || burst >= groupObjectsMax * callsToStore) &&
      buckets.every((bucket) => bucket.rate === undefined || bucket.burst >= groupBytesMax)
    );
  }

  /** Lets a group of objects through when its calls may be made and its bytes may go. */
  async group(
    direction: Direction,
    bytes: number,
    calls: number,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.request(signal, calls);
    await this.#bytes(direction, bytes, signal);
  }

  /** Counts a call or bytes that were not asked for before. */
  charge(what: Direction | "request", count: number): void {
    // A mere look at the backend makes a node no user of it, with a share that others lack.
    if (what === "request") this.#requests.charge(count);
    else {
      this.#usedAt = performance.now();
      this[what].charge(count);
      this.#options.node[what].charge(count);
    }
  }

  /** Makes no call for so long: the backend asked for that. */
  hold(ms: number, report: boolean): void {
    const until = performance.now() + ms;
    if (until <= this.#requests.bucket.heldUntil) return;
    this.#requests.bucket.holdUntil(until);
    if (!report) return;
    this.#reportHold = true;
    this.#options.onHold();
  }

  get active(): boolean {
    const busy = [this.upload, this.download, this.#requests].some(({ bucket }) => bucket.busy);
    return busy || performance.now() - this.#usedAt < idleAfterMs;
  }

  /** What the controller is to know. */
  use(): BackendUse {
    const heldMs = this.#reportHold ? this.#requests.bucket.heldUntil - performance.now() : 0;
    this.#reportHold = false;
    return {
      backend: this.#options.backend,
      active: this.active,
      upload: this.upload.use(),
      download: this.download.use(),
      requests: this.#requests.use(),
      ...(heldMs > 0 ? { holdMs: Math.ceil(heldMs) } : {}),
    };
  }

  apply(share: Omit<BackendShare, "backend" | "perNode">): void {
    this.upload.bucket.setRate(share.upload);
    this.download.bucket.setRate(share.download);
    this.#requests.bucket.setRate(share.requests);
    if (share.holdMs !== undefined) this.hold(share.holdMs, false);
  }

  /** As much of a piece as may go at once: large pieces would make the stream stutter. */
  #part(direction: Direction, piece: Uint8Array, at = 0): Uint8Array {
    const buckets = [this[direction].bucket, this.#options.node[direction]];
    const limited = buckets.filter(({ rate }) => rate !== undefined);
    if (limited.length === 0) return at === 0 ? piece : piece.subarray(at);
    const rate = Math.min(...limited.map((bucket) => bucket.rate ?? 0));
    return piece.subarray(
      at,
      at + Math.max(Math.floor((rate * partMs) / 1_000), bytesBurst.burstMin),
    );
  }

  async #bytes(direction: Direction, count: number, signal?: AbortSignal): Promise<void> {
    this.#usedAt = performance.now();
    const own = this[direction];
    const node = this.#options.node[direction];
    if (!own.takeNow(count)) await own.take(count, signal);
    if (!node.takeNow(count)) await node.take(count, signal);
  }

  #held(ms: number): EngineError {
    const seconds = Math.ceil(ms / 1_000);
    const message = `the backend ${this.#options.backend} asked to wait for ${seconds} s`;
    return new EngineError("RATE_LIMITED", message, { retryAfterMs: Math.ceil(ms) });
  }
}
