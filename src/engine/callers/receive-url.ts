import { basename } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { askUrl, type UrlAnswer } from "#engine/callers/ask-url.ts";
import { tooMuch } from "#engine/callers/spool-stream.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import { formatDuration } from "#model/quantity.ts";
import { retryAfterMs } from "#model/retry-after.ts";

/** Content behind a URL, on its way. */
export interface ReceivedUrl {
  readonly stream: ByteStream;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly modified: Date | undefined;
  readonly bytes: number | undefined;
}

export interface ReceiveOptions {
  readonly signal: AbortSignal;
  readonly bytesMax: number;
  /** Hears what the server answered that asks for patience, and how long it gets it. */
  readonly onWait: (message: string) => void;
}

const redirectsMax = 5;
const redirectStatus: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A part of the content, which nobody asked for. */
const partialStatus = 206;
/** Statuses of answers without content: an empty one would be another. */
const emptyStatus: ReadonlySet<number> = new Set([204, 205]);
/** What servers say of bytes of which they know nothing. */
const unspecific: ReadonlySet<string> = new Set(["application/octet-stream", ""]);

/** A server that says when to come back gets so many pauses, and so much time in all. */
const pausesMax = 3;
const patienceMs = 60_000;
const pauseLeastMs = 1_000;

/**
 * Asks for a URL. Name and password in it go only to the very server they were given for, and no
 * message shows them, nor the query, which may hold a signature. A server that says when to come
 * back (`Retry-After`) is asked again then; where that is too late, the error tells it.
 */
export async function receiveUrl(text: string, options: ReceiveOptions): Promise<ReceivedUrl> {
  const { signal, onWait } = options;
  let leftMs = patienceMs;
  for (let pauses = 0; ; pauses += 1) {
    try {
      return await follow(text, options);
    } catch (thrown) {
      const { message, retryAfterMs: askedMs } = EngineError.from(thrown);
      const pauseMs = Math.max(pauseLeastMs, askedMs ?? Number.POSITIVE_INFINITY);
      if (pauses === pausesMax || pauseMs > leftMs) throw thrown;
      leftMs -= pauseMs;
      onWait(`${message}: it is asked again in ${formatDuration(pauseMs)}`);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** Goes where a URL leads to. */
async function follow(text: string, options: ReceiveOptions): Promise<ReceivedUrl> {
  const first = parseUrl(text);
  let url = first;
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const answer = await ask(url, url.origin === first.origin ? first : undefined, options);
    const { location } = answer.headers;
    if (!redirectStatus.has(answer.status) || location === undefined) {
      return received(answer, url, options);
    }
    answer.body.destroy();
    const next = parseUrl(location, url);
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new EngineError("FORBIDDEN", `${shown(url)} leads to ${shown(next)}, unencrypted`, {
        hint: "give that URL itself if you trust it",
      });
    }
    url = next;
  }
  throw new EngineError("UNAVAILABLE", `${shown(first)}: more than ${redirectsMax} redirects`, {
    retryable: false,
    hint: "check the URL",
  });
}

function received(answer: UrlAnswer, url: URL, { bytesMax }: ReceiveOptions): ReceivedUrl {
  const { headers, body } = answer;
  const bytes = Number(headers["content-length"] ?? Number.NaN);
  const isPlain = headers["content-encoding"] === undefined;
  const expected = Number.isFinite(bytes) && isPlain ? bytes : undefined;
  if (expected !== undefined && expected > bytesMax) {
    body.destroy();
    throw tooMuch(bytesMax);
  }
  const type = (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  const modified = Date.parse(headers["last-modified"] ?? "");
  const name = nameIn(url);
  return {
    stream: whole(body, expected, shown(url)),
    name,
    type: unspecific.has(type) ? undefined : type,
    modified: Number.isNaN(modified) ? undefined : new Date(modified),
    bytes: expected,
  };
}

async function ask(
  url: URL,
  credentials: URL | undefined,
  { signal }: ReceiveOptions,
): Promise<UrlAnswer> {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  const headers: Record<string, string> = { "Accept-Encoding": "identity" };
  const login = url.username === "" ? credentials : url;
  if (login !== undefined && login.username !== "") {
    const pair = `${decodeURIComponent(login.username)}:${decodeURIComponent(login.password)}`;
    headers["Authorization"] = `Basic ${Buffer.from(pair).toString("base64")}`;
  }
  const answer = await askUrl(bare, { headers, signal }).catch((thrown: unknown) => {
    throw new EngineError("UNAVAILABLE", `${shown(url)} does not answer: ${wordsOf(thrown)}`, {
      hint: "check the URL and the network",
    });
  });
  const { status } = answer;
  const isOk = status >= 200 && status < 300 && status !== partialStatus;
  if ((isOk && !emptyStatus.has(status)) || redirectStatus.has(status)) return answer;
  answer.body.destroy();
  throw refused(answer, url);
}

/** A server with several addresses fails at each of them; the first one says why. */
function wordsOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return wordsOf(thrown.errors[0]);
  }
  return thrown instanceof Error && thrown.message !== "" ? thrown.message : "no connection";
}

function refused({ status, headers }: UrlAnswer, url: URL): EngineError {
  const message = `${shown(url)} answers with status ${status}`;
  if (status === partialStatus) {
    return new EngineError("UNAVAILABLE", `${message}: a part only, and all of it was asked for`, {
      retryable: false,
      hint: "fetch it with another program, look at what comes, and add that file",
    });
  }
  if (emptyStatus.has(status)) {
    return new EngineError("UNAVAILABLE", `${message}: it has no content to give`, {
      retryable: false,
      hint: "check the URL",
    });
  }
  const code = codes[status] ?? "UNAVAILABLE";
  if (code !== "UNAVAILABLE" && code !== "RATE_LIMITED") return new EngineError(code, message);
  const pauseMs = status === 429 || status === 503 ? retryAfterMs(headers) : undefined;
  return new EngineError(code, message, {
    retryable: status === 429 || status >= 500,
    ...(pauseMs === undefined ? {} : later(pauseMs)),
  });
}

const codes: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHENTICATED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  410: "NOT_FOUND",
  429: "RATE_LIMITED",
};

function later(pauseMs: number): { readonly retryAfterMs: number; readonly hint: string } {
  return { retryAfterMs: pauseMs, hint: `it says: not for another ${formatDuration(pauseMs)}` };
}

async function* whole(body: Readable, expected: number | undefined, place: string): ByteStream {
  let bytes = 0;
  try {
    for await (const piece of body) {
      bytes += (piece as Buffer).length;
      yield piece as Buffer;
    }
  } catch (thrown) {
    const message = `${place} broke off after ${bytes} bytes`;
    throw new EngineError("UNAVAILABLE", message, { cause: thrown });
  }
  if (expected === undefined || bytes === expected) return;
  throw new EngineError("UNAVAILABLE", `${place} sent ${bytes} bytes of ${expected}`);
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new EngineError("USAGE", "only http and https URLs can be added", {
    hint: base === undefined ? "check the URL" : `${shown(base)} leads elsewhere`,
  });
}

/** Without name, password and query. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function nameIn({ pathname }: URL): string | undefined {
  const last = basename(pathname);
  if (last === "") return undefined;
  try {
    const name = decodeURIComponent(last);
    return name.includes("/") || name.includes("\0") ? undefined : name;
  } catch {
    return last;
  }
}
