import { Worker } from "node:worker_threads";

/**
 * A thread that answers questions in the order of asking. It does not keep the process alive while
 * it has nothing to do.
 */
export class MessageThread<Question, Answer> {
  readonly #worker: Worker;
  readonly #onEnd: () => void;
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  #ended = false;

  /** Starts it from a file that answers each message with one; `onEnd` hears when it has ended. */
  constructor(entry: URL, onEnd: () => void) {
    this.#onEnd = onEnd;
    // Nothing of this process is its business: neither its flags nor its secrets.
    this.#worker = new Worker(entry, { execArgv: [], env: {} });
    this.#worker.on("message", (answer: Answer) => {
      const resolve = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#worker.unref();
      resolve?.(answer);
    });
    this.#worker.on("error", () => {
      this.#end();
    });
    this.#worker.on("exit", () => {
      this.#end();
    });
    this.#worker.unref();
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Its answer; undefined when it could not start or ended before it gave one. */
  async ask(question: Question): Promise<Answer | undefined> {
    if (this.#ended) return undefined;
    if (this.#waiting.length === 0) this.#worker.ref();
    return await new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#worker.postMessage(question, []);
    });
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
