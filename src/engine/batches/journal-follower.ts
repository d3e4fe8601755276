import { type FSWatcher, mkdirSync, watch } from "node:fs";
import type { BatchJournal, JournalPlace } from "#engine/batches/batch-journal.ts";
import type { ToldBatch } from "#model/record-batch.ts";

/** Where a file system tells nothing of changes by others, such as NFS, this is the delay. */
const lookEveryMs = 1_000;

/** Records of the journal as they come, from a place on, until the reader stops. */
export class JournalFollower implements AsyncIterableIterator<ToldBatch> {
  readonly #journal: BatchJournal;
  readonly #onEnd: (() => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #place: JournalPlace;
  #ready: readonly ToldBatch[] = [];
  #taken = 0;
  #waiting: PromiseWithResolvers<IteratorResult<ToldBatch>> | undefined;
  #ended = false;

  constructor(journal: BatchJournal, from: JournalPlace, onEnd?: () => void) {
    this.#journal = journal;
    this.#onEnd = onEnd;
    this.#place = from;
    mkdirSync(journal.directory, { recursive: true });
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#watcher = watch(journal.directory, () => this.#look());
    this.#watcher.on("error", () => {
      // The timer goes on.
      this.#watcher?.close();
      this.#watcher = undefined;
    });
  }

  async next(): Promise<IteratorResult<ToldBatch>> {
    if (this.#ended) return { done: true, value: undefined };
    const value = this.#take();
    if (value !== undefined) return { done: false, value };
    this.#waiting = Promise.withResolvers();
    return await this.#waiting.promise;
  }

  async return(): Promise<IteratorResult<ToldBatch>> {
    this.end();
    return { done: true, value: undefined };
  }

  /** Ends it for a reader that waits, too. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd?.();
    clearInterval(this.#timer);
    this.#watcher?.close();
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #look(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    try {
      const value = this.#take();
      if (value === undefined) return;
      this.#waiting = undefined;
      waiting.resolve({ done: false, value });
    } catch (error) {
      this.#waiting = undefined;
      waiting.reject(error);
    }
  }

  #take(): ToldBatch | undefined {
    while (this.#taken === this.#ready.length) {
      const { records, next } = this.#journal.read(this.#place);
      const moved = next.segment !== this.#place.segment || next.offset !== this.#place.offset;
      this.#place = next;
      this.#ready = records;
      this.#taken = 0;
      // What was read may be nobody's record, with others behind it.
      if (!moved) break;
    }
    const told = this.#ready[this.#taken];
    if (told !== undefined) this.#taken += 1;
    return told;
  }
}
