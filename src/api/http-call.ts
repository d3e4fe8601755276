import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError } from "#model/engine-error.ts";
import type { Address } from "#api/address.ts";
import { formatAddress } from "#api/address.ts";

/** One request to a controller. */
export interface HttpCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON text, or lines or bytes that are sent as they come. */
  readonly body?: string | AsyncIterable<string | Uint8Array>;
  /** Longest silence before the answer begins; without it a call may take as long as it takes. */
  readonly timeoutMs?: number;
}

/**
 * Sends a request and resolves when the answer begins. Every call has its own connection: on a
 * socket or loopback that costs nothing, and no stale one is ever used again.
 */
export async function sendCall(address: Address, call: HttpCall): Promise<IncomingMessage> {
  const request = openRequest(address, call);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  const source = new Source(call.body);
  try {
    // The server may answer before it has read everything; the rest is then of no interest.
    const answer = await Promise.race([answered, source.send(request).then(() => answered)]);
    answer.once("close", () => request.destroy());
    return answer;
  } catch (thrown) {
    request.destroy();
    throw source.failure ?? callError(thrown, address);
  }
}

/** A body on its way, which tells its own failures from those of the connection. */
class Source {
  failure: EngineError | undefined;
  readonly #body: HttpCall["body"];

  constructor(body: HttpCall["body"]) {
    this.#body = body;
  }

  async send(request: ClientRequest): Promise<void> {
    if (typeof this.#body !== "object") request.end(this.#body);
    else await pipeline(Readable.from(this.#watched(this.#body)), request);
  }

  async *#watched<Piece>(body: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    try {
      yield* body;
    } catch (thrown) {
      this.failure = EngineError.from(thrown, "UNREADABLE");
      throw thrown;
    }
  }
}

function openRequest(address: Address, call: HttpCall): ClientRequest {
  const options: RequestOptions = {
    agent: false,
    method: call.method,
    path: call.path,
    headers: {
      ...call.headers,
      // A server that closes with its answer resets the connection below what is still on its way
      // to it, and the answer may go under: this one is closed by us, when we have the answer.
      ...(typeof call.body === "object" && { Connection: "keep-alive" }),
    },
    ...(address.kind === "unix"
      ? { socketPath: address.path, host: "localhost" }
      : { host: address.host, port: address.port }),
  };
  const secure = address.kind === "tcp" && address.protocol === "https:";
  const request = secure ? requestHttps(options) : requestHttp(options);
  if (call.timeoutMs !== undefined) {
    const { timeoutMs } = call;
    const timer = setTimeout(() => {
      request.destroy(
        new EngineError("TIMEOUT", `the controller at ${formatAddress(address)} is silent`, {
          hint: `it gave no answer in ${timeoutMs} ms; look at its log, or try again`,
        }),
      );
    }, timeoutMs);
    request.once("response", () => clearTimeout(timer));
    request.once("close", () => clearTimeout(timer));
  }
  return request;
}

/** Whether nobody listens at the address (and so nothing happened). */
export function isNobodyThere(error: unknown): boolean {
  const cause = error instanceof EngineError ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ECONNREFUSED" || code === "ENOENT";
}

/** The error of a connection, told for a person. */
export function callError(thrown: unknown, address: Address): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const where = formatAddress(address);
  if (isNobodyThere(thrown)) {
    return new EngineError("UNAVAILABLE", `no controller answers at ${where}`, {
      hint: "start one with `thermocline up` or `thermocline controller`",
      cause: thrown,
    });
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new EngineError("UNAVAILABLE", `the connection to ${where} broke: ${reason}`, {
    hint: "ask `thermocline status` what became of the call before you repeat it",
    cause: thrown,
  });
}
