import { type FileAddress, FileHasher } from "#content/file-hasher.ts";
import { hashElsewhereMin, hashPiece } from "#content/hash-piece.ts";
import { sharedPieceMax } from "#content/hash-thread.ts";
import type { Profile } from "#content/profile.ts";

/** Leaves that are being hashed while the next is gathered: no more memory than these is held. */
const hashedAheadMax = 2;

/**
 * Computes the CID of a file that passes in pieces of any length, as networks give them: they are
 * gathered into leaves, which other threads hash. Of raw leaves, a piece is done with when `take`
 * returns.
 */
export class PassingLeaves {
  readonly #hasher: FileHasher;
  readonly #chunkBytes: number;
  /** Whether leaves are such that it pays to copy them for another thread. */
  readonly #gathers: boolean;
  readonly #spare: Uint8Array[] = [];
  readonly #hashing: { readonly leaf: Uint8Array; readonly digest: Promise<Uint8Array> }[] = [];
  #memory: Uint8Array | undefined;
  #filled = 0;

  /** `size` is what the file is expected to have: files of less than a leaf are hashed here. */
  constructor(profile: Profile, size: number) {
    const { chunkBytes, leaves } = profile;
    this.#hasher = new FileHasher(profile);
    this.#chunkBytes = chunkBytes;
    const isLarge = chunkBytes >= hashElsewhereMin && chunkBytes <= sharedPieceMax;
    this.#gathers = leaves === "raw" && isLarge && size >= chunkBytes;
  }

  /** Takes the next bytes. */
  async take(piece: Uint8Array, isLast: boolean): Promise<void> {
    const isBetween = this.#memory === undefined && this.#hashing.length === 0;
    if (!this.#gathers || (isBetween && piece.length === this.#chunkBytes)) {
      await this.#hasher.absorb(piece, isLast);
      return;
    }
    for (let at = 0; at < piece.length;) {
      const memory = (this.#memory ??= this.#spare.pop() ?? sharedMemory(this.#chunkBytes));
      const part = piece.subarray(at, at + this.#chunkBytes - this.#filled);
      memory.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#chunkBytes) this.#endLeaf(memory);
    }
    while (this.#hashing.length > hashedAheadMax) await this.#addOldest();
  }

  /** Ends the file. */
  async finish(): Promise<FileAddress> {
    if (this.#memory !== undefined) this.#endLeaf(this.#memory);
    while (this.#hashing.length > 0) await this.#addOldest();
    return this.#hasher.finish();
  }

  #endLeaf(memory: Uint8Array): void {
    const leaf = memory.subarray(0, this.#filled);
    this.#hashing.push({ leaf, digest: hashPiece(leaf) });
    this.#memory = undefined;
    this.#filled = 0;
  }

  async #addOldest(): Promise<void> {
    const oldest = this.#hashing.shift();
    if (oldest === undefined) return;
    const { leaf, digest } = oldest;
    this.#hasher.addLeaf(await digest, leaf.length);
    this.#spare.push(new Uint8Array(leaf.buffer));
  }
}

function sharedMemory(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}
