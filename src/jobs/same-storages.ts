import type { SamePair } from "#model/same-storage.ts";

/** So long a finding counts: storages may be told apart meanwhile, and a worker finds it anew. */
const keptMs = 24 * 60 * 60 * 1_000;

/**
 * Backends that are one and the same storage, as workers found them when they were asked to remove
 * a copy that would have rested on itself. In memory: a controller that begins anew learns it
 * with the first removal that is refused again.
 */
export class SameStorages {
  readonly #found = new Map<string, { readonly pair: SamePair; readonly atMs: number }>();

  add(pair: SamePair, now: Date): void {
    this.#found.set(JSON.stringify(pair.toSorted()), { pair, atMs: now.getTime() });
  }

  pairs(now: Date): readonly SamePair[] {
    for (const [key, { atMs }] of this.#found) {
      if (now.getTime() - atMs > keptMs) this.#found.delete(key);
    }
    return [...this.#found.values()].map(({ pair }) => pair);
  }
}
