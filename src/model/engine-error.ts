/**
 * The one error class of the engine. `code` is the contract (closed, documented, stable);
 * `message` is free text for a person and says what to do.
 */
export class EngineError extends Error {
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** Wait at least this long before a retry (milliseconds), when the other side said so. */
  readonly retryAfterMs: number | undefined;
  /** One sentence: what the person should do. */
  readonly hint: string | undefined;
  /** Facts for machines. Never a secret. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: EngineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "EngineError";
    this.code = code;
    this.retryable = options.retryable ?? errorCodes[code].retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** Exit code of the command line for this error (docs: exit codes). */
  get exitCode(): number {
    return errorCodes[this.code].exit;
  }

  /** Wraps anything thrown; an EngineError passes through unchanged. */
  static from(thrown: unknown, code: ErrorCode = "INTERNAL"): EngineError {
    if (thrown instanceof EngineError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new EngineError(code, message, { cause: thrown });
  }
}

export interface EngineErrorOptions {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

interface ErrorCodeFacts {
  readonly exit: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

/** Every code with its exit code, whether a retry may help by default, and its meaning. */
export const errorCodes = {
  USAGE: { exit: 64, retryable: false, meaning: "the command or call was used wrongly" },
  INVALID_DOCUMENT: { exit: 1, retryable: false, meaning: "a YAML document has errors" },
  NOT_FOUND: { exit: 1, retryable: false, meaning: "the named thing does not exist" },
  ALREADY_EXISTS: { exit: 1, retryable: false, meaning: "the thing exists and is not replaced" },
  NOT_SUPPORTED: { exit: 1, retryable: false, meaning: "this driver or engine cannot do that" },
  CORRUPT: { exit: 1, retryable: false, meaning: "bytes do not match the identity they claim" },
  NO_SPACE: { exit: 8, retryable: false, meaning: "the disk, backend or its capacity is full" },
  UNREADABLE: { exit: 1, retryable: false, meaning: "a local file or folder cannot be read" },
  UNAUTHENTICATED: { exit: 12, retryable: false, meaning: "credentials are missing or wrong" },
  FORBIDDEN: { exit: 12, retryable: false, meaning: "the credentials do not allow this" },
  RATE_LIMITED: { exit: 5, retryable: true, meaning: "the service asks to slow down" },
  TIMEOUT: { exit: 5, retryable: true, meaning: "no answer in time" },
  UNAVAILABLE: { exit: 69, retryable: true, meaning: "queue, database or backend unreachable" },
  WRITES_DISABLED: { exit: 1, retryable: false, meaning: "the service refuses writes for now" },
  CONFLICT: { exit: 1, retryable: true, meaning: "something changed at the same time" },
  STALE_PLAN: { exit: 6, retryable: false, meaning: "the plan no longer matches reality" },
  REFUSED: { exit: 6, retryable: false, meaning: "a guard refused this" },
  DECLINED: { exit: 7, retryable: false, meaning: "a person was asked and did not agree" },
  LOCKED: { exit: 11, retryable: false, meaning: "another process holds the lock" },
  CANCELLED: { exit: 130, retryable: false, meaning: "cancelled on request" },
  INTERNAL: { exit: 70, retryable: false, meaning: "a defect in the engine" },
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof errorCodes;
