import { hash } from "node:crypto";
import { MessageThread } from "#content/message-thread.ts";

/** Longer pieces are not copied for the other side: such memory is made for this much. */
export const sharedPieceMax = 1024 * 1024;

/** A thread that hashes; one that could not start, or ended, leaves its work to this one. */
export class HashThread {
  readonly #thread: MessageThread<Uint8Array, Uint8Array>;
  readonly #spare: Uint8Array[] = [];

  /** Starts a thread from a file like `hash-thread-entry.ts`; `onEnd` hears when it has ended. */
  constructor(entry: URL, onEnd: (thread: HashThread) => void) {
    this.#thread = new MessageThread(entry, () => {
      onEnd(this);
    });
  }

  /** Pieces that have no answer yet. */
  get waiting(): number {
    return this.#thread.waiting;
  }

  /** SHA-256 of a piece, which must stay as it is until the answer has come. */
  async hash(bytes: Uint8Array): Promise<Uint8Array> {
    if (bytes.buffer instanceof SharedArrayBuffer) return await this.#ask(bytes, bytes);
    // It lies where the other side cannot see it.
    const copy = this.#spare.pop() ?? new Uint8Array(new SharedArrayBuffer(sharedPieceMax));
    copy.set(bytes);
    const digest = await this.#ask(copy.subarray(0, bytes.length), bytes);
    this.#spare.push(copy);
    return digest;
  }

  async #ask(seen: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    return (await this.#thread.ask(seen)) ?? hash("sha256", bytes, "buffer");
  }
}
