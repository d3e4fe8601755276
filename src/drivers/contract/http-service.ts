import { once } from "node:events";
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as SecureAgent, request as requestHttps } from "node:https";
import { answerTo } from "#model/answer-to.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { HttpAnswer } from "#drivers/contract/http-answer.ts";
import { networkError } from "#drivers/contract/http-error.ts";

export interface HttpServiceOptions {
  /** Where the service listens; paths are appended to it. */
  readonly url: string;
  /** Value of the Authorization header; asked for at each request. */
  readonly authorization?: () => Promise<string | undefined>;
  /** Without any progress for this long a request is given up. */
  readonly idleTimeoutMs: number;
}

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Begins with a slash; may carry a query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | ByteStream;
  /** Asked twice it does no more than once; of a GET that is so. */
  readonly isRepeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** What the request is for, for messages: "listing the pins of cluster-eu". */
  readonly doing: string;
}

export const connectionsMax = 32;

/**
 * A service that is spoken to over HTTP/1.1, with connections that are kept. What the global
 * `fetch` hides is visible here: trailers, in which some services say that an answer that began
 * well has failed. Answers of any status are returned; only a missing answer throws.
 */
export class HttpService {
  readonly #url: URL;
  readonly #options: HttpServiceOptions;
  readonly #agent: Agent;

  /** Without any progress for this long a request is given up. */
  get idleTimeoutMs(): number {
    return this.#options.idleTimeoutMs;
  }

  constructor(options: HttpServiceOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const settings = { keepAlive: true, maxSockets: connectionsMax };
    const isSecure = this.#url.protocol === "https:";
    this.#agent = isSecure ? new SecureAgent(settings) : new Agent(settings);
  }

  async ask(request: HttpRequest): Promise<HttpAnswer> {
    return await this.#ask(request, this.#agent);
  }

  async #ask(request: HttpRequest, agent: Agent | false): Promise<HttpAnswer> {
    const { method, body, signal, doing } = request;
    throwIfCancelled(signal, doing);
    const authorization = await this.#options.authorization?.();
    throwIfCancelled(signal, doing);
    const send = this.#url.protocol === "https:" ? requestHttps : requestHttp;
    const outgoing = send(this.#address(request.path), {
      method,
      agent,
      headers: {
        ...request.headers,
        ...(typeof body === "string" && { "Content-Length": Buffer.byteLength(body) }),
        // Where a body was cut short the connection cannot be used again.
        ...((typeof body === "object" || agent === false) && { Connection: "close" }),
        ...(authorization !== undefined && { Authorization: authorization }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const fail = (thrown: unknown) => networkError(thrown, { doing, signal });
    // A connection that breaks after the answer began shows in its body; nobody else would listen.
    outgoing.on("error", () => undefined);
    const answered = answerTo(outgoing);
    // Its failure is met below, or shows in the sending of the body first.
    answered.catch(() => undefined);
    try {
      await this.#send(outgoing, answered, request);
      const response = await answered;
      // Where a body ends with its connection, Node takes what came before it broke for all of it.
      outgoing.on("error", (error) => {
        if (outgoing.writableFinished && !response.complete) response.destroy(error);
      });
      return new HttpAnswer(response, fail);
    } catch (thrown) {
      outgoing.destroy();
      if (isStale(outgoing, request, thrown)) return await this.#ask(request, false);
      throw fail(thrown);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #address(path: string): string {
    return `${this.#url.origin}${this.#url.pathname.replace(/\/+$/, "")}${path}`;
  }

  /** Sends the body to its end, or until the service answers before it. */
  async #send(
    outgoing: ClientRequest,
    answered: Promise<IncomingMessage>,
    { body, doing }: HttpRequest,
  ): Promise<void> {
    const { idleTimeoutMs } = this.#options;
    const giveUp = () => {
      const message = `${doing}: no answer for ${idleTimeoutMs / 1_000} seconds`;
      outgoing.destroy(new EngineError("TIMEOUT", message));
    };
    if (body === undefined || typeof body === "string") {
      outgoing.setTimeout(idleTimeoutMs, giveUp).end(body);
      return;
    }
    // An answer before the end of the body is a refusal, or one that began early.
    let ended = false;
    const over = answered.then(
      ({ statusCode = 0 }) => void (ended = statusCode >= 300),
      () => void (ended = true),
    );
    for await (const piece of body) {
      if (ended) return;
      if (outgoing.write(piece)) continue;
      // A source may be slow, and waits as long as it likes; the service may not.
      const timer = setTimeout(giveUp, idleTimeoutMs);
      const drained = once(outgoing, "drain");
      // Its failure is that of the answer.
      drained.catch(() => undefined);
      const refused = over.then(() => (ended ? undefined : drained));
      await Promise.race([drained, refused]).finally(() => clearTimeout(timer));
    }
    outgoing.setTimeout(idleTimeoutMs, giveUp).end();
  }
}

/**
 * Whether a kept connection had died before it was used again, which shows only then: what may be
 * asked twice goes out once more, on a connection of its own, which cannot have died before: other
 * kept ones may have died with it. Anything else may change something, or have a body that is used
 * up, and is left to whoever asked.
 */
function isStale(
  outgoing: ClientRequest,
  { method, isRepeatable = method === "GET", signal }: HttpRequest,
  thrown: unknown,
): boolean {
  const { code } = thrown as { readonly code?: unknown };
  const isReset = code === "ECONNRESET" || code === "EPIPE";
  return isReset && outgoing.reusedSocket && isRepeatable && signal?.aborted !== true;
}
