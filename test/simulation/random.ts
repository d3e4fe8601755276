/** Reproducible randomness: the same seed gives the same numbers on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
    // Neighbouring seeds begin alike: the first numbers are thrown away.
    for (let turn = 0; turn < 4; turn += 1) this.next();
  }

  /** At least 0, less than 1 (the generator mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, at least 0, less than `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new RangeError("nothing to pick from");
    return item as Item;
  }

  /** Some of the items, each with the same probability, in their order. */
  some<Item>(items: readonly Item[], probability = 0.5): readonly Item[] {
    return items.filter(() => this.chance(probability));
  }

  /** An independent generator, so that drawing more of one thing leaves the others alone. */
  fork(): Random {
    return new Random(this.below(2 ** 32));
  }
}
