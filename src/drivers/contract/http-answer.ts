import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { FillingBody } from "#drivers/contract/filling-body.ts";
import type { LeastSpeed } from "#drivers/contract/least-speed.ts";

/** Answers that are read whole are not larger than this. */
const textBytesMax = 16 * 1024 * 1024;

/** What a service answered; its body is read once, or discarded. */
export class HttpAnswer {
  readonly #response: IncomingMessage;
  readonly #fail: (thrown: unknown) => EngineError;

  constructor(response: IncomingMessage, fail: (thrown: unknown) => EngineError) {
    this.#response = response;
    this.#fail = fail;
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): IncomingHttpHeaders {
    return this.#response.headers;
  }

  /** The body; throws where it breaks off, and when the service says at its end that it failed. */
  async *bytes(): ByteStream {
    try {
      for await (const piece of this.#response) yield piece as Uint8Array;
    } catch (thrown) {
      throw this.#fail(thrown);
    }
    this.#checkEnd();
  }

  /** The body, for whoever has memory for it; throws as `bytes` does, and what `speed` does. */
  filling(speed: LeastSpeed): Pick<FillingBody, "readInto" | "close"> {
    const body = new FillingBody(this.#response, speed, () => {
      this.#checkEnd();
    });
    const readInto = async (memory: Uint8Array): Promise<number> => {
      try {
        return await body.readInto(memory);
      } catch (thrown) {
        throw this.#fail(thrown);
      }
    };
    return { readInto, close: () => body.close() };
  }

  async text(): Promise<string> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.bytes()) {
      bytes += piece.length;
      if (bytes > textBytesMax) throw this.#fail(new Error("the answer is too large"));
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  }

  /** The body as JSON, or undefined when it is none. */
  async json(): Promise<unknown> {
    const text = await this.text();
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  }

  /** Lets go of the body; the connection can be used again. */
  async discard(): Promise<void> {
    for await (const _ of this.bytes());
  }

  #checkEnd(): void {
    if (!this.#response.complete) throw this.#fail(new Error("the answer broke off"));
    const late = this.#response.trailers["x-stream-error"]?.trim();
    if (late !== undefined && late !== "") throw this.#fail(new LateError(late));
  }
}

/** The service began to answer and then met an error, which it told in a trailer. */
export class LateError extends Error {
  override readonly name = "LateError";
}
