import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { pipeline, type Readable, type Transform } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";
import { answerTo } from "#model/answer-to.ts";
import { formatDuration } from "#model/quantity.ts";

/** What a server answered. The body is read to its end or destroyed: a connection hangs on it. */
export interface UrlAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface UrlCall {
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the call, and the body as well. */
  readonly signal: AbortSignal;
}

/** For finding the server, connecting to it and agreeing on keys with it. */
const connectMaxMs = 30_000;
/** For a server that is connected and sends nothing. */
const silenceMaxMs = 300_000;

/**
 * Asks for a URL (http or https) and resolves when the answer begins, whatever it is. Redirects
 * are left to the caller. Not by the global `fetch`: where a server ends a connection while the
 * reader of a body is busy, that throws an error which nobody can catch (nodejs/undici#5360).
 */
export async function askUrl(url: URL, { headers, signal }: UrlCall): Promise<UrlAnswer> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  // Its own connection: one that is kept may be dead when the next URL comes.
  const all = { Accept: "*/*", "User-Agent": "thermocline", ...headers, Connection: "close" };
  const request = send(url, { headers: all });
  request.on("error", () => undefined);
  let body: Readable | undefined;
  const fail = (words: string): void => void (body ?? request).destroy(new Error(words));
  const connecting = setTimeout(() => {
    fail(`no connection within ${formatDuration(connectMaxMs)}`);
  }, connectMaxMs);
  request.once("finish", () => clearTimeout(connecting));
  request.setTimeout(silenceMaxMs, () => {
    fail(`nothing came for ${formatDuration(silenceMaxMs)}`);
  });
  const stop = (): void => fail("it is not wanted any more");
  signal.addEventListener("abort", stop, { once: true });
  request.once("close", () => {
    clearTimeout(connecting);
    signal.removeEventListener("abort", stop);
  });
  const answered = answerTo(request);
  if (signal.aborted) stop();
  request.end();
  const response = await answered;
  body = decoded(response);
  // Where a body ends with its connection, Node takes what came before it broke for all of it.
  request.on("error", (error) => {
    if (!response.complete) body?.destroy(error);
  });
  // One that breaks while nobody reads it yet tells that to whoever reads it then.
  body.on("error", () => undefined);
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(),
  "x-gzip": () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

/** Some servers encode what was asked for as it is. What is cut within its encoding is an error. */
function decoded(response: IncomingMessage): Readable {
  const codings = (response.headers["content-encoding"] ?? "")
    .split(",")
    .map((coding) => decoders[coding.trim().toLowerCase()]);
  const steps = codings.flatMap((decoder) => decoder?.() ?? []).toReversed();
  // The last one was applied last; its failure shows in what is read at the end.
  return steps.reduce<Readable>((from, to) => pipeline(from, to, () => undefined), response);
}
