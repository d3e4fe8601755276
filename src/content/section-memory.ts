import { hashElsewhereMin } from "#content/hash-piece.ts";
import { sharedPieceMax } from "#content/hash-thread.ts";

/** A block that is hashed elsewhere, with the CID before it. */
const sectionMax = sharedPieceMax + 128;

/**
 * Memory for large sections of a CAR that threads can see, used again and again: fresh memory for
 * each costs about as much as hashing what it holds.
 */
export class SectionMemory {
  readonly #spare: SharedArrayBuffer[] = [];

  take(bytes: number): Uint8Array {
    if (bytes < hashElsewhereMin || bytes > sectionMax) return Buffer.allocUnsafe(bytes);
    return new Uint8Array(this.#spare.pop() ?? new SharedArrayBuffer(sectionMax), 0, bytes);
  }

  /** Takes back memory of which nobody reads a part any more. */
  give({ buffer }: Uint8Array): void {
    if (buffer instanceof SharedArrayBuffer && buffer.byteLength === sectionMax) {
      this.#spare.push(buffer);
    }
  }
}
