import type { Position } from "#model/diagnostic.ts";

/**
 * Offsets at which the lines of a text start. The YAML parser's own count misses line ends
 * inside broken tokens, which is just where diagnostics point.
 */
export class LineStarts {
  readonly #starts: readonly number[];
  readonly #length: number;

  constructor(text: string) {
    const ends = [...text.matchAll(/\n/g)].map((match) => match.index + 1);
    this.#starts = [0, ...ends];
    this.#length = text.length;
  }

  /** Line and column of an offset, both from 1; offsets outside the text are moved inside. */
  position(offset: number): Position {
    const inside = Math.max(0, Math.min(offset, this.#length));
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= inside) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: inside - (this.#starts[low] ?? 0) + 1 };
  }
}
