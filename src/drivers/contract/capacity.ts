import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";

/**
 * Bytes used of a capacity, including what is being written right now. Room is set aside before
 * or while bytes arrive, so that writes at the same time cannot exceed it together.
 */
export class Capacity {
  readonly #backend: string;
  readonly #limit: number | undefined;
  #used = 0;
  #reserved = 0;

  constructor(backend: string, limit: number | undefined) {
    this.#backend = backend;
    this.#limit = limit;
  }

  get isLimited(): boolean {
    return this.#limit !== undefined;
  }

  /** What may be stored in all; undefined without a limit. */
  get totalBytes(): number | undefined {
    return this.#limit;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Room that is left; undefined without a limit. */
  get freeBytes(): number | undefined {
    if (this.#limit === undefined) return undefined;
    return Math.max(0, this.#limit - this.#used - this.#reserved);
  }

  /** Counts bytes that came (or, negative, went). */
  add(bytes: number): void {
    this.#used += bytes;
  }

  /** Sets room aside. NO_SPACE when there is not enough. */
  reserve(bytes: number): Reservation {
    const reservation = new Reservation((more) => {
      this.#take(more);
    });
    reservation.cover(bytes);
    return reservation;
  }

  #take(bytes: number): void {
    const free = this.freeBytes;
    if (bytes > 0 && free !== undefined && bytes > free) {
      throw new EngineError(
        "NO_SPACE",
        `backend ${this.#backend}: ${formatSize(bytes)} more would exceed its capacity of ` +
          `${formatSize(this.#limit ?? 0)} (${formatSize(free)} free)`,
        { hint: "raise `capacity`, or add a rule that evicts or demotes from this backend" },
      );
    }
    this.#reserved += bytes;
  }
}

/** Room set aside for one write; dispose of it when the write has been counted or has failed. */
export class Reservation implements Disposable {
  readonly #take: (bytes: number) => void;
  #bytes = 0;

  constructor(take: (bytes: number) => void) {
    this.#take = take;
  }

  /** Makes sure that the room set aside is at least this much. */
  cover(bytes: number): void {
    if (bytes <= this.#bytes) return;
    this.#take(bytes - this.#bytes);
    this.#bytes = bytes;
  }

  [Symbol.dispose](): void {
    this.#take(-this.#bytes);
    this.#bytes = 0;
  }
}
