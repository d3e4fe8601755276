import { EngineError } from "#model/engine-error.ts";
import { formatDuration } from "#model/quantity.ts";

/** One that is still shutting down, or recovers, is waited for so long. */
const patienceDefaultMs = 120_000;
/** Most are down sooner, and nobody needs to hear of it. */
const tellAfterMs = 1_000;

export interface PassingWaitOptions {
  /** Hears that the last server is still shutting down or recovers, and is waited for. */
  readonly onWait?: (error: EngineError) => void;
  /** How long that is waited for, in milliseconds. */
  readonly patienceMs?: number;
  /** Whoever waits has had enough: CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** States of the last server that end by themselves: they are waited for, each told of once. */
export class PassingWait {
  readonly #options: PassingWaitOptions;
  readonly #directory: string;
  readonly #begunAt = Date.now();
  readonly #told = new Set<string>();

  constructor(directory: string, options: PassingWaitOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Whether there is patience left; tells of the wait once it is long. CANCELLED if aborted. */
  goesOn(state: string): boolean {
    const { onWait, patienceMs = patienceDefaultMs, signal } = this.#options;
    if (signal?.aborted === true) {
      throw new EngineError("CANCELLED", "stopped while waiting for the embedded PostgreSQL");
    }
    const waitedMs = Date.now() - this.#begunAt;
    if (waitedMs >= patienceMs) return false;
    // Its log has the time and the process in each line.
    const kind = state.replaceAll(/\d+/g, "");
    if (!this.#told.has(kind) && waitedMs >= tellAfterMs) {
      this.#told.add(kind);
      onWait?.(
        new EngineError(
          "UNAVAILABLE",
          `waiting for the embedded PostgreSQL in ${this.#directory}, up to ` +
            `${formatDuration(patienceMs)}: ${state}`,
        ),
      );
    }
    return true;
  }
}
