import { hash } from "node:crypto";
import { Worker } from "node:worker_threads";

/** Longer pieces are not sent: memory that is seen from both sides is made for this much. */
export const sharedPieceMax = 1024 * 1024;

interface Waiting {
  readonly bytes: Uint8Array;
  /** Where the other side sees the bytes, if they lay where it could not. */
  readonly copy: Uint8Array | undefined;
  readonly resolve: (digest: Uint8Array) => void;
}

/** A thread that hashes; it does not keep the process alive while it has nothing to do. */
export class HashThread {
  readonly #worker: Worker;
  readonly #onEnd: (thread: HashThread) => void;
  readonly #waiting: Waiting[] = [];
  readonly #spare: Uint8Array[] = [];

  /** Starts a thread from a file like `hash-thread-entry.ts`; `onEnd` hears when it has ended. */
  constructor(entry: URL, onEnd: (thread: HashThread) => void) {
    this.#onEnd = onEnd;
    // Nothing of this process is its business: neither its flags nor its secrets.
    this.#worker = new Worker(entry, { execArgv: [], env: {} });
    this.#worker.on("message", (digest: Uint8Array) => {
      this.#answer(digest);
    });
    this.#worker.on("error", () => {
      this.#end();
    });
    this.#worker.on("exit", () => {
      this.#end();
    });
    this.#worker.unref();
  }

  /** Pieces that have no answer yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** SHA-256 of a piece, which must stay as it is until the answer has come. */
  async hash(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#waiting.length === 0) this.#worker.ref();
    const isSeen = bytes.buffer instanceof SharedArrayBuffer;
    const copy = isSeen ? undefined : (this.#spare.pop() ?? sharedMemory());
    copy?.set(bytes);
    return await new Promise((resolve) => {
      this.#waiting.push({ bytes, copy, resolve });
      this.#worker.postMessage(copy === undefined ? bytes : copy.subarray(0, bytes.length), []);
    });
  }

  #answer(digest: Uint8Array): void {
    const answered = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if (answered?.copy !== undefined) this.#spare.push(answered.copy);
    answered?.resolve(digest);
  }

  /** A thread that could not start, or ended, leaves its work to this one. */
  #end(): void {
    this.#onEnd(this);
    for (const { bytes, resolve } of this.#waiting.splice(0)) {
      resolve(hash("sha256", bytes, "buffer"));
    }
  }
}

function sharedMemory(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(sharedPieceMax));
}
