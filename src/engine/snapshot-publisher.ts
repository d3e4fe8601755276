import { setTimeout as sleep } from "node:timers/promises";
import type { IndexSnapshots } from "#engine/index-snapshots.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";

export interface PublisherOptions {
  readonly snapshots: IndexSnapshots;
  readonly index: ObjectIndex;
  readonly leadership: Publishing;
  readonly node: string;
  readonly everyMs: number;
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** What the publisher must know of the right of its process to publish. */
export interface Publishing {
  readonly epoch: number;
  readonly lost: AbortSignal;
  /** Throws LOCKED once somebody else may lead. */
  confirmLease(): Promise<void>;
}

/** Publishes the index while this process leads: at once, whenever it changed, and at the end. */
export class SnapshotPublisher {
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  #published = -1;
  #loop: Promise<void> = Promise.resolve();

  private constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the index of this term is published: permits are issued only after that, so
   * that every later controller knows how long they may be used.
   */
  static async start(options: PublisherOptions): Promise<SnapshotPublisher> {
    const publisher = new SnapshotPublisher(options);
    await publisher.#publish(false);
    publisher.#loop = publisher.#keepPublishing();
    return publisher;
  }

  /** Nothing is written any more: what is published now is all there is. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    if (this.#options.leadership.lost.aborted) return;
    await this.#publish(true).catch((error: unknown) => {
      this.#options.onError(EngineError.from(error));
    });
  }

  async #keepPublishing(): Promise<void> {
    const { signal } = this.#stop;
    const { everyMs, index, leadership, onError } = this.#options;
    while (!signal.aborted && !leadership.lost.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if ((await index.version()) !== this.#published) await this.#publish(false);
      } catch (error) {
        onError(EngineError.from(error));
      }
    }
  }

  async #publish(final: boolean): Promise<void> {
    const { snapshots, index, leadership, node, now } = this.#options;
    // Only what is certainly ours to say is said.
    await leadership.confirmLease();
    const about = { epoch: leadership.epoch, node, final };
    this.#published = (await snapshots.publish(index, about, now())).commits;
  }
}
