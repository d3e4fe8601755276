import { laneQueue } from "#jobs/lanes.ts";
import type { QueueStore } from "#jobs/queue-store.ts";

/** Tells the queue store how many jobs of a lane may be active at a time on all nodes. */
export class LaneConcurrency {
  readonly #store: QueueStore;
  readonly #told = new Map<string, number>();

  constructor(store: QueueStore) {
    this.#store = store;
  }

  /** Passes on what changed. */
  async apply(concurrency: ReadonlyMap<string, number>): Promise<void> {
    for (const [backend, batches] of concurrency) {
      if (this.#told.get(backend) === batches) continue;
      await this.#store.queue(laneQueue(backend)).setGlobalConcurrency(batches);
      this.#told.set(backend, batches);
    }
  }

  /** Passes everything on again the next time. */
  forget(): void {
    this.#told.clear();
  }
}
