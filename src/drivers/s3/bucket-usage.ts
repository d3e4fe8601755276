import type { ListedCopy } from "#model/driver.ts";
import type { Capacity } from "#drivers/contract/capacity.ts";
import { waitUnlessCancelled } from "#drivers/contract/wait-unless-cancelled.ts";

/** With a capacity, the bucket is counted again this often: other nodes write to it too. */
const countAfterMs = 3_600_000;

/** Counts what a bucket holds, if there is a capacity to keep to. */
export class BucketUsage {
  readonly #backend: string;
  readonly #capacity: Capacity;
  readonly #list: () => AsyncIterable<ListedCopy>;
  #counted: { readonly at: number; readonly done: Promise<void> } | undefined;

  constructor(backend: string, capacity: Capacity, list: () => AsyncIterable<ListedCopy>) {
    this.#backend = backend;
    this.#capacity = capacity;
    this.#list = list;
  }

  async refresh(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#capacity.isLimited) return;
    const now = performance.now();
    if (this.#counted === undefined || now - this.#counted.at > countAfterMs) {
      this.#counted = { at: now, done: this.#countAll() };
      this.#counted.done.catch(() => {
        this.#counted = undefined;
      });
    }
    await waitUnlessCancelled(this.#counted.done, signal, `counting ${this.#backend}`);
  }

  async #countAll(): Promise<void> {
    const before = this.#capacity.usedBytes;
    let bytes = 0;
    for await (const { copy } of this.#list()) bytes += copy.bytes;
    this.#capacity.add(bytes - before);
  }
}
