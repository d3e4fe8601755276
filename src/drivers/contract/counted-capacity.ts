import type { ListedCopy } from "#model/driver.ts";
import { Capacity } from "#drivers/contract/capacity.ts";
import { waitUnlessCancelled } from "#drivers/contract/wait-unless-cancelled.ts";

/** The storage is counted again this often: other nodes write to it too. */
const countAfterMs = 3_600_000;

/** A capacity of storage that cannot say what our copies take: they are listed and summed up. */
export class CountedCapacity extends Capacity {
  readonly #backend: string;
  readonly #countAll: () => Promise<number>;
  #counted: { readonly at: number; readonly done: Promise<void> } | undefined;

  constructor(backend: string, capacityBytes: number | undefined, countAll: () => Promise<number>) {
    super(backend, capacityBytes);
    this.#backend = backend;
    this.#countAll = countAll;
  }

  /** Counts, when there is a limit to keep to and the last count is old. */
  async count(signal: AbortSignal | undefined): Promise<void> {
    if (!this.isLimited) return;
    const now = performance.now();
    if (this.#counted === undefined || now - this.#counted.at > countAfterMs) {
      this.#counted = { at: now, done: this.#count() };
      this.#counted.done.catch(() => {
        this.#counted = undefined;
      });
    }
    await waitUnlessCancelled(this.#counted.done, signal, `counting ${this.#backend}`);
  }

  async #count(): Promise<void> {
    const before = this.usedBytes;
    this.add((await this.#countAll()) - before);
  }
}

/** What listed copies take in all. */
export async function bytesOf(copies: AsyncIterable<ListedCopy>): Promise<number> {
  let bytes = 0;
  for await (const { copy } of copies) bytes += copy.bytes;
  return bytes;
}
