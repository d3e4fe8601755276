import { basename } from "node:path";
import type { Readable } from "node:stream";
import { askUrl, type UrlAnswer } from "#engine/callers/ask-url.ts";
import { tooMuch } from "#engine/callers/spool-stream.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

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
}

const redirectsMax = 5;
const redirectStatus: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** A part of the content, which nobody asked for. */
const partialStatus = 206;
/** What servers say of bytes of which they know nothing. */
const unspecific: ReadonlySet<string> = new Set(["application/octet-stream", ""]);

/**
 * Asks for a URL. Name and password in it go only to the very server they were given for, and no
 * message shows them, nor the query, which may hold a signature.
 */
export async function receiveUrl(text: string, options: ReceiveOptions): Promise<ReceivedUrl> {
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
  const isWhole = status >= 200 && status < 300 && status !== partialStatus;
  if (isWhole || redirectStatus.has(status)) return answer;
  answer.body.destroy();
  throw refused(status, url);
}

/** A server with several addresses fails at each of them; the first one says why. */
function wordsOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return wordsOf(thrown.errors[0]);
  }
  return thrown instanceof Error && thrown.message !== "" ? thrown.message : "no connection";
}

function refused(status: number, url: URL): EngineError {
  const message = `${shown(url)} answers with status ${status}`;
  if (status === partialStatus) {
    return new EngineError("UNAVAILABLE", `${message}: a part only, and all of it was asked for`, {
      retryable: false,
      hint: "fetch it with another program, look at what comes, and add that file",
    });
  }
  if (status === 401) return new EngineError("UNAUTHENTICATED", message);
  if (status === 403) return new EngineError("FORBIDDEN", message);
  if (status === 404 || status === 410) return new EngineError("NOT_FOUND", message);
  if (status === 429) return new EngineError("RATE_LIMITED", message);
  return new EngineError("UNAVAILABLE", message, { retryable: status >= 500 });
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
