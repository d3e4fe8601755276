import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address } from "#api/address.ts";
import type { HttpCall } from "#api/http-call.ts";
import { callError, isNobodyThere, sendCall } from "#api/http-call.ts";
import { errorOf } from "#api/problem.ts";
import { actingHeaders } from "#api/acting-headers.ts";
import { EngineError } from "#model/engine-error.ts";

/** Pauses before a read is repeated while nobody listens, as during a restart. */
const retryPausesMs = [100, 400, 1_000];

/** How the lines begin that carry the data of a Server-Sent Event. */
const dataField = "data: ";

/** What a call needs beside its method and path. */
export interface CallDetails {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  readonly lines?: AsyncIterable<string>;
  /** Content, sent as it comes. */
  readonly content?: AsyncIterable<Uint8Array>;
  readonly timeoutMs?: number;
}

/** Calls a controller and turns its answers into values and its problems into EngineErrors. */
export class ApiConnection {
  readonly address: Address;
  readonly #token: string;

  constructor(address: Address, token: string) {
    this.address = address;
    this.#token = token;
  }

  /** The JSON value of the answer; the caller says its type, as both sides have one contract. */
  async json<T>(method: "GET" | "POST", path: string, details: CallDetails = {}): Promise<T> {
    const bytes = await this.bytes(method, path, details);
    if (bytes.length === 0) return undefined as T;
    return parseJson(bytes.toString("utf8")) as T;
  }

  /** The bytes of the answer. */
  async bytes(method: "GET" | "POST", path: string, details: CallDetails = {}): Promise<Buffer> {
    const answer = await this.#send(method, path, details);
    return await this.#read(answer);
  }

  /** The bytes of the answer as they come; ends the call when the reader stops early. */
  async *stream(
    method: "GET" | "POST",
    path: string,
    details: CallDetails = {},
  ): AsyncGenerator<Uint8Array> {
    const answer = await this.#send(method, path, details);
    try {
      for await (const bytes of answer) yield bytes as Buffer;
    } catch (thrown) {
      throw callError(thrown, this.address);
    } finally {
      answer.destroy();
    }
  }

  /** The lines of the answer as they come; ends the call when the reader stops early. */
  async *lines<T>(method: "GET" | "POST", path: string, details: CallDetails): AsyncGenerator<T> {
    const answer = await this.#send(method, path, details);
    try {
      for await (const line of linesOf(answer)) {
        const value = parseJson(line);
        if (isExitError(value)) throw errorOf(value.problem, 500);
        yield value as T;
      }
    } catch (thrown) {
      throw callError(thrown, this.address);
    } finally {
      answer.destroy();
    }
  }

  /** The events of the answer as they come. */
  async *events<T>(path: string, details: CallDetails): AsyncGenerator<T> {
    const answer = await this.#send("GET", path, details);
    try {
      for await (const line of linesOf(answer)) {
        if (line.startsWith(dataField)) yield parseJson(line.slice(dataField.length)) as T;
      }
    } catch (thrown) {
      throw callError(thrown, this.address);
    } finally {
      answer.destroy();
    }
  }

  async #send(method: HttpCall["method"], path: string, details: CallDetails) {
    const call = callOf(method, path, details, this.#token);
    for (const pauseMs of method === "GET" ? retryPausesMs : []) {
      try {
        return await this.#checked(call);
      } catch (thrown) {
        if (!isNobodyThere(thrown)) throw thrown;
        await sleep(pauseMs);
      }
    }
    return await this.#checked(call);
  }

  async #checked(call: HttpCall): Promise<IncomingMessage> {
    const answer = await sendCall(this.address, call);
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    const text = (await this.#read(answer)).toString("utf8");
    throw errorOf(text.startsWith("{") ? parseJson(text) : undefined, status);
  }

  async #read(answer: IncomingMessage): Promise<Buffer> {
    return await buffer(answer).catch((error: unknown) => {
      throw callError(error, this.address);
    });
  }
}

function callOf(
  method: HttpCall["method"],
  path: string,
  details: CallDetails,
  token: string,
): HttpCall {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(details.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const body =
    details.lines ?? details.content ?? (details.body ? JSON.stringify(details.body) : undefined);
  return {
    method,
    path: query.size === 0 ? path : `${path}?${query.toString()}`,
    headers: {
      Authorization: `Bearer ${token}`,
      ...actingHeaders(),
      ...(body === undefined ? {} : { "Content-Type": mediaTypeOf(details) }),
    },
    ...(body === undefined ? {} : { body }),
    ...(details.timeoutMs === undefined ? {} : { timeoutMs: details.timeoutMs }),
  };
}

function mediaTypeOf({ lines, content }: CallDetails): string {
  if (content !== undefined) return "application/octet-stream";
  return lines === undefined ? "application/json" : "application/x-ndjson";
}

async function* linesOf(answer: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of answer) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError("UNAVAILABLE", "what answered is not a controller: no JSON", {
      hint: "check the address",
      retryable: false,
      cause,
    });
  }
}

function isExitError(value: unknown): value is { readonly problem: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    value.type === "exit_error" &&
    "problem" in value
  );
}
