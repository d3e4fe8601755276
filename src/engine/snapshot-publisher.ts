import { setTimeout as sleep } from "node:timers/promises";
import type { PublishedIndexes } from "#engine/published-indexes.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";
import type { PublishedIndex } from "#model/leader-state.ts";

export interface PublisherOptions {
  readonly snapshots: PublishedIndexes;
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

/**
 * After a publication there is a rest of so many times what it took: however large the index is,
 * publishing it takes at most a tenth of the time, and of what the machine can do.
 */
const restFactor = 9;

/** Publishes the index while this process leads: at once, whenever it changed, and at the end. */
export class SnapshotPublisher {
  readonly #options: PublisherOptions;
  readonly #stop = new AbortController();
  #published = -1;
  #state: Omit<PublishedIndex, "failure"> | undefined;
  #failure: string | undefined;
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

  /** What was published last, and whether that still works. */
  get state(): PublishedIndex | undefined {
    return this.#state === undefined ? undefined : { ...this.#state, failure: this.#failure };
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
      await sleep(this.#state?.everyMs ?? everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        if ((await index.version()) !== this.#published) await this.#publish(false);
      } catch (error) {
        this.#failure = EngineError.from(error).message;
        onError(EngineError.from(error));
      }
    }
  }

  async #publish(final: boolean): Promise<void> {
    const { snapshots, index, leadership, node, now } = this.#options;
    // Only what is certainly ours to say is said.
    await leadership.confirmLease();
    const about = { epoch: leadership.epoch, node, final };
    const begun = performance.now();
    const { commits, cid, bytes, publishedAt } = await snapshots.publish(index, about, now());
    const tookMs = Math.round(performance.now() - begun);
    const everyMs = Math.max(this.#options.everyMs, restFactor * tookMs);
    this.#published = commits;
    const { directory } = snapshots;
    this.#state = { directory, cid, bytes, publishedAt, tookMs, everyMs };
    this.#failure = undefined;
  }
}
