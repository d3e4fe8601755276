import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import type { LeastSpeed } from "#drivers/contract/least-speed.ts";

/**
 * The body of an answer, copied into the caller's memory as it comes. Fresh memory for every piece
 * of a large body keeps the garbage collector as busy as hashing would, and more.
 */
export class FillingBody {
  readonly #response: IncomingMessage;
  readonly #speed: LeastSpeed;
  readonly #atEnd: () => void;
  /** What came when there was no room for it. */
  readonly #early: Uint8Array[] = [];
  readonly #ending = Promise.withResolvers<void>();
  #memory: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #whenFull: (() => void) | undefined;

  /** `atEnd` throws unless the answer ended as it should. */
  constructor(response: IncomingMessage, speed: LeastSpeed, atEnd: () => void) {
    this.#response = response;
    this.#speed = speed;
    this.#atEnd = atEnd;
    // Whoever fills hears of it.
    this.#ending.promise.catch(() => undefined);
    finished(response, { writable: false }, (error) => {
      if (error) this.#ending.reject(error);
      else this.#ending.resolve();
    });
    response.on("data", (piece: Uint8Array) => {
      this.#came(piece);
    });
    response.pause();
  }

  /** Fills the memory, but for what is left of it where the body ends. Returns the bytes in it. */
  async readInto(memory: Uint8Array): Promise<number> {
    this.#memory = memory;
    this.#filled = 0;
    for (const piece of this.#early.splice(0)) this.#take(piece);
    if (this.#isFull) return this.#filled;
    const full = Promise.withResolvers<void>();
    this.#whenFull = full.resolve;
    this.#speed.wait();
    this.#response.resume();
    await Promise.race([full.promise, this.#ending.promise]);
    if (!this.#isFull) this.#atEnd();
    return this.#filled;
  }

  /** To be called when no more is wanted. */
  close(): void {
    this.#response.destroy();
  }

  get #isFull(): boolean {
    return this.#filled === this.#memory.length;
  }

  #came(piece: Uint8Array): void {
    try {
      if (!this.#isFull) this.#speed.came(piece.length);
      this.#take(piece);
    } catch (thrown) {
      this.#response.destroy(thrown as Error);
    }
  }

  #take(piece: Uint8Array): void {
    const fitting = piece.subarray(0, this.#memory.length - this.#filled);
    this.#memory.set(fitting, this.#filled);
    this.#filled += fitting.length;
    if (fitting.length < piece.length) this.#early.push(piece.subarray(fitting.length));
    if (!this.#isFull) return;
    this.#response.pause();
    this.#whenFull?.();
  }
}
