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
  /** What a person can do about it. */
  readonly remedy: string;
}

/** Every code with its exit code, whether a retry may help by default, meaning and remedy. */
export const errorCodes = {
  USAGE: {
    exit: 64,
    retryable: false,
    meaning: "the command or call was used wrongly",
    remedy: "read the hint, or the help of the command",
  },
  INVALID_DOCUMENT: {
    exit: 1,
    retryable: false,
    meaning: "a YAML document has errors",
    remedy: "correct what the diagnostics mark and validate again",
  },
  NOT_FOUND: {
    exit: 1,
    retryable: false,
    meaning: "the named thing does not exist",
    remedy:
      "check the name; for a copy, verify or import the inventory of its backend, then plan again",
  },
  ALREADY_EXISTS: {
    exit: 1,
    retryable: false,
    meaning: "the thing exists and is not replaced",
    remedy: "choose another name, or remove what is there",
  },
  NOT_SUPPORTED: {
    exit: 1,
    retryable: false,
    meaning: "this driver or engine cannot do that",
    remedy: "use another backend or driver for this, or change the rule that asks for it",
  },
  CORRUPT: {
    exit: 1,
    retryable: false,
    meaning: "bytes do not match the identity they claim",
    remedy:
      "check the disk or service behind the backend; repairs restore the copy from another one",
  },
  NO_SPACE: {
    exit: 8,
    retryable: false,
    meaning: "the disk, backend or its capacity is full",
    remedy: "make room or raise the capacity; work that waits for it goes on by itself",
  },
  UNREADABLE: {
    exit: 1,
    retryable: false,
    meaning: "a local file or folder cannot be read",
    remedy: "check that the file exists and who may read it",
  },
  UNAUTHENTICATED: {
    exit: 12,
    retryable: false,
    meaning: "credentials are missing or wrong",
    remedy: "check the credentials of the backend and their references in the configuration",
  },
  FORBIDDEN: {
    exit: 12,
    retryable: false,
    meaning: "the credentials do not allow this",
    remedy: "grant the credentials what the message names, then retry",
  },
  RATE_LIMITED: {
    exit: 5,
    retryable: true,
    meaning: "the service asks to slow down",
    remedy: "wait, or lower the backend's rate; the engine slows down by itself",
  },
  TIMEOUT: {
    exit: 5,
    retryable: true,
    meaning: "no answer in time",
    remedy: "check the network and the load of the backend, then retry",
  },
  UNAVAILABLE: {
    exit: 69,
    retryable: true,
    meaning: "queue, database or backend unreachable",
    remedy: "bring the service back; work that waits for it goes on by itself",
  },
  WRITES_DISABLED: {
    exit: 1,
    retryable: false,
    meaning: "the service refuses writes for now",
    remedy: "see why the service refuses writes; work goes on once it takes them",
  },
  CONFLICT: {
    exit: 1,
    retryable: true,
    meaning: "something changed at the same time",
    remedy: "try again; if it stays, see what else writes there",
  },
  STALE_PLAN: {
    exit: 6,
    retryable: false,
    meaning: "the plan no longer matches reality",
    remedy: "plan again and look at what changed",
  },
  REFUSED: {
    exit: 6,
    retryable: false,
    meaning: "a guard refused this",
    remedy: "read which guard refused and why; plan again, or override it if that is meant",
  },
  DECLINED: {
    exit: 7,
    retryable: false,
    meaning: "a person was asked and did not agree",
    remedy: "run the command again and agree, or use --yes",
  },
  LOCKED: {
    exit: 11,
    retryable: false,
    meaning: "another process holds the lock",
    remedy: "stop the other process, or talk to the controller that holds it",
  },
  CANCELLED: {
    exit: 130,
    retryable: false,
    meaning: "cancelled on request",
    remedy: "run it again if it is still wanted",
  },
  INTERNAL: {
    exit: 70,
    retryable: false,
    meaning: "a defect in the engine",
    remedy: "report it with the message and the log; a retry may pass",
  },
} as const satisfies Record<string, ErrorCodeFacts>;

export type ErrorCode = keyof typeof errorCodes;
