import { EngineError, errorCodes } from "#model/engine-error.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import { plainJson } from "#api/json-values.ts";

/** An EngineError on the wire: RFC 9457 members first, then what the command line needs. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly exitCode: number;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly retryAfterMs?: number;
  readonly details?: unknown;
}

/** Media type of a problem (RFC 9457). */
export const problemType = "application/problem+json";

// UNAUTHENTICATED is about a backend's credentials here: 401 is for the caller's own token.
const statuses: Readonly<Record<ErrorCode, number>> = {
  USAGE: 400,
  INVALID_DOCUMENT: 422,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  NOT_SUPPORTED: 501,
  CORRUPT: 500,
  NO_SPACE: 507,
  UNREADABLE: 422,
  UNAUTHENTICATED: 502,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  TIMEOUT: 504,
  UNAVAILABLE: 503,
  WRITES_DISABLED: 503,
  CONFLICT: 409,
  STALE_PLAN: 409,
  REFUSED: 409,
  DECLINED: 409,
  LOCKED: 423,
  CANCELLED: 409,
  INTERNAL: 500,
};

/** What a caller is told about an error; `status` replaces the usual one of its code. */
export function problemOf(error: EngineError, status = statuses[error.code]): Problem {
  return {
    type: `urn:thermocline:error:${error.code.toLowerCase().replaceAll("_", "-")}`,
    title: errorCodes[error.code].meaning,
    status,
    detail: error.message,
    code: error.code,
    exitCode: error.exitCode,
    retryable: error.retryable,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(Object.keys(error.details).length === 0 ? {} : { details: plainJson(error.details) }),
  };
}

/** The error a problem describes: same code, hint, retry advice and details. */
export function errorOf(problem: unknown, status: number): EngineError {
  if (!isRecord(problem) || typeof problem["code"] !== "string" || !isCode(problem["code"])) {
    return new EngineError("UNAVAILABLE", `the controller answered with status ${status}`, {
      hint: "check that the address is the controller's and that both have the same version",
      retryable: status >= 500,
    });
  }
  const { detail, retryable, hint, retryAfterMs, details } = problem;
  return new EngineError(problem["code"], typeof detail === "string" ? detail : "no detail", {
    ...(typeof retryable === "boolean" ? { retryable } : {}),
    ...(typeof hint === "string" ? { hint } : {}),
    ...(typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    ...(isRecord(details) ? { details } : {}),
  });
}

function isCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
