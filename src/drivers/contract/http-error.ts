import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import { retryAfterMs as askedPauseMs } from "#model/retry-after.ts";
import { cancelled } from "#drivers/contract/cancelled.ts";
import type { HttpAnswer } from "#drivers/contract/http-answer.ts";

/** The error for a request that got no answer, or none to its end. */
export function networkError(
  thrown: unknown,
  { doing, signal }: { readonly doing: string; readonly signal: AbortSignal | undefined },
): EngineError {
  if (signal?.aborted) return cancelled(signal, doing);
  if (thrown instanceof EngineError) return thrown;
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown };
  const words = typeof message === "string" && message !== "" ? message : String(code ?? thrown);
  const kind = code === "ETIMEDOUT" ? "TIMEOUT" : "UNAVAILABLE";
  return new EngineError(kind, `${doing}: the service cannot be reached (${words})`, {
    // A certificate that is not trusted stays so.
    retryable: typeof code !== "string" || !code.includes("CERT"),
    hint: "check that it runs, its address in the options of this backend, and the network",
    cause: thrown,
  });
}

/** The error for an answer that refuses, by its status; `words` is what the service said. */
export function refusedError(
  { status, headers }: Pick<HttpAnswer, "status" | "headers">,
  doing: string,
  words: string,
): EngineError {
  const { code, text, hint, retryable } = fullWords.test(words) ? full : meaningOf(status);
  const plain = plainWords(words);
  const said = plain === "" ? "" : `: ${plain}`;
  const retryAfterMs = askedPauseMs(headers);
  return new EngineError(code, `${doing}: ${text} (${status}${said})`, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    details: { status },
  });
}

/** For an answer that came with success, but not from the kind of service that was asked. */
export function strangeError(doing: string, service: string): EngineError {
  const message = `${doing}: what answers there does not answer as ${service} does`;
  return new EngineError("UNAVAILABLE", message, {
    retryable: false,
    hint: "check the address in the options of this backend: it may be a proxy's, or another service's",
  });
}

const wordsMax = 500;

/** What a service said on one line, cut, without the tags of a page or of XML. */
export function plainWords(words: string): string {
  const start = words.slice(0, 4 * wordsMax);
  const text = /^\s*</.test(start) ? start.replaceAll(/<[^<>]*>/g, " ") : start;
  return text.replaceAll(/\s+/g, " ").trim().slice(0, wordsMax);
}

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const meanings: Readonly<Record<number, Meaning>> = {
  401: {
    code: "UNAUTHENTICATED",
    text: "the service does not accept the credentials",
    hint: "check the credentials in the options of this backend",
  },
  403: {
    code: "FORBIDDEN",
    text: "the credentials do not allow this",
    hint: "grant them what the message names",
  },
  // Never an absent copy: who asks for something that may be absent looks for it first.
  404: {
    code: "UNAVAILABLE",
    text: "the service has no such address",
    hint: "check the address in the options of this backend",
    retryable: false,
  },
  408: { code: "TIMEOUT", text: "no answer in time" },
  409: { code: "CONFLICT", text: "something changed at the same time" },
  413: { code: "NOT_SUPPORTED", text: "too large for the service" },
  429: { code: "RATE_LIMITED", text: "the service asks to slow down" },
  501: { code: "NOT_SUPPORTED", text: "the service cannot do this" },
  503: { code: "UNAVAILABLE", text: "the service is not available just now" },
  504: { code: "TIMEOUT", text: "no answer in time" },
  507: { code: "NO_SPACE", text: "the service has no room left" },
};

/** What servers that pass on the words of their system say, with whatever status. */
const fullWords = /no space left on device|disk quota exceeded/i;
const full: Meaning = {
  code: "NO_SPACE",
  text: "the disk of the service is full",
  hint: "make room there, or evict from this backend",
};

const refusedRequest: Meaning = {
  code: "NOT_SUPPORTED",
  text: "the service refuses the request",
  hint: "check that the address of this backend is that of such a service, and of a version that is supported",
};

function meaningOf(status: number): Meaning {
  const known = meanings[status];
  if (known !== undefined) return known;
  if (status >= 500) return { code: "UNAVAILABLE", text: "the service has a problem of its own" };
  if (status >= 400) return refusedRequest;
  return {
    code: "INVALID_DOCUMENT",
    text: "the service sends us elsewhere",
    hint: "give the address that answers itself in the options of this backend",
  };
}
