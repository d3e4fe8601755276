import { EngineError } from "#model/engine-error.ts";

/** Who gives less than this, while nothing but it is waited for, would hold a worker for days. */
const slowestBytesPerSecond = 1024;

/**
 * Sees whether content comes more slowly than 1 KiB a second for `timeoutMs`. Only the time counts
 * in which we wait for the source: a slow target, or a limit of our own, is no fault of it.
 */
export class LeastSpeed {
  readonly #timeoutMs: number;
  readonly #doing: string;
  #waitedMs = 0;
  #bytes = 0;
  #askedAt = performance.now();

  constructor(timeoutMs: number, doing: string) {
    this.#timeoutMs = timeoutMs;
    this.#doing = doing;
  }

  /** From here on the source is waited for. */
  wait(): void {
    this.#askedAt = performance.now();
  }

  /** Bytes came that were waited for. Throws TIMEOUT. */
  came(bytes: number): void {
    const now = performance.now();
    this.#waitedMs += now - this.#askedAt;
    this.#askedAt = now;
    this.#bytes += bytes;
    if (this.#waitedMs < this.#timeoutMs) return;
    if (this.#bytes * 1_000 < slowestBytesPerSecond * this.#waitedMs) throw this.#tooSlow();
    [this.#waitedMs, this.#bytes] = [0, 0];
  }

  #tooSlow(): EngineError {
    const seconds = Math.round(this.#waitedMs / 1_000);
    const message = `${this.#doing}: only ${this.#bytes} bytes came in ${seconds} seconds`;
    return new EngineError("TIMEOUT", message, {
      hint: "check the service and the network between; what takes longer needs another `timeout`",
    });
  }
}
