import { setTimeout as sleep } from "node:timers/promises";
import { failureOf } from "#engine/failure-of.ts";
import type { BatchApi } from "#model/batch-api.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { BatchGcReport } from "#model/record-batch.ts";

const lookEveryMs = 60 * 60_000;

export interface BatchRetentionOptions {
  readonly batches: Pick<BatchApi, "collectBatches">;
  /** Without it none goes by the clock. */
  readonly olderThanMs: number | undefined;
  readonly keep: number;
  readonly onError: (error: EngineError) => void;
}

/** Gives up old record batches by the clock while this process is the controller. */
export class BatchRetention {
  readonly #options: BatchRetentionOptions;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(options: BatchRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.olderThanMs !== undefined) this.#loop ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Gives up what is too old now. */
  async look(): Promise<BatchGcReport | undefined> {
    const { batches, olderThanMs, keep } = this.#options;
    return olderThanMs === undefined
      ? undefined
      : await batches.collectBatches({ olderThanMs, keep });
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        this.#options.onError(failureOf("giving up old record batches", error));
      });
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
