import { EngineError } from "#model/engine-error.ts";

const keysMax = 256;
const keyLengthMax = 200;
const keptMs = 24 * 3_600_000;

/**
 * Answers by `Idempotency-Key`, so that a caller that lost an answer can ask again. They live
 * as long as the process: what must survive a restart (a plan's run, an access batch) is
 * idempotent by its own identity in the index.
 */
export class AnswersByKey {
  readonly #kept = new Map<string, Kept>();

  /** Calls `answer` the first time a key is seen; afterwards gives a copy of its answer. */
  async once(key: string, identity: string, answer: () => Promise<Response>): Promise<Response> {
    if (key.length > keyLengthMax) {
      throw new EngineError("USAGE", `Idempotency-Key is longer than ${keyLengthMax} characters`);
    }
    const now = Date.now();
    const kept = this.#kept.get(key);
    if (kept && kept.until > now) {
      if (kept.identity !== identity) {
        throw new EngineError("CONFLICT", "this Idempotency-Key came with another request", {
          hint: "use a new key for a new request",
          retryable: false,
        });
      }
      return (await kept.response).clone();
    }
    const response = answer();
    this.#kept.delete(key);
    this.#kept.set(key, { identity, response, until: now + keptMs });
    this.#forgetOldest();
    // An error is no lasting answer: the same call may succeed when it is made again.
    response.catch(() => this.#kept.delete(key));
    return (await response).clone();
  }

  #forgetOldest(): void {
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= keysMax) return;
      this.#kept.delete(key);
    }
  }
}

interface Kept {
  readonly identity: string;
  readonly response: Promise<Response>;
  readonly until: number;
}
