import { EngineError, type ErrorCode } from "#model/engine-error.ts";
import { formatDuration } from "#model/quantity.ts";
import { retryAfterMs } from "#model/retry-after.ts";

/**
 * Turns what the service or its client said into an `EngineError`. The name of the error decides
 * where there is one; else the HTTP status; else what the network said.
 */
export function s3Error(thrown: unknown, doing: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const facts = errorFacts(thrown);
  // The SDK calls connections that were cut timeouts; the system knows better.
  const named = facts.name === "TimeoutError" ? byNetwork[facts.system] : undefined;
  const known =
    named ?? byName[facts.name] ?? byNetwork[facts.system] ?? byStatus[facts.status ?? 0];
  const meaning = known ?? (facts.status === undefined ? unknown : refused);
  const hint = facts.hint ?? meaning.hint;
  return new EngineError(meaning.code, `${doing}: ${meaning.text} (${describe(facts)})`, {
    ...(hint === undefined ? {} : { hint }),
    ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
    ...(facts.retryAfterMs === undefined ? {} : { retryAfterMs: facts.retryAfterMs }),
    details: {
      error: facts.name,
      status: facts.status,
      requestId: facts.requestId,
      ...(archivedNames.has(facts.name) ? { archived: true } : {}),
    },
    cause: thrown,
  });
}

/** The HTTP status of a refused request, or undefined when no answer came. */
export function httpStatus(thrown: unknown): number | undefined {
  return errorFacts(thrown).status;
}

/** Whether the other side closed the connection before it had answered. */
export function wasCut(thrown: unknown): boolean {
  const { status, system } = errorFacts(thrown);
  return status === undefined && (system === "ECONNRESET" || system === "EPIPE");
}

/**
 * For an answer that came with success but is none of S3 (a proxy, a login page): taken at its
 * word it would be an empty bucket, and every copy in it lost.
 */
export function notS3(doing: string): EngineError {
  const { code, text, hint, retryable } = strange;
  return new EngineError(code, `${doing}: ${text}`, { hint, retryable });
}

/** What reading, and what copying, from an archive class is refused with. */
const archivedNames: ReadonlySet<string> = new Set([
  "InvalidObjectState",
  "ObjectNotInActiveTierError",
]);

interface Facts {
  readonly name: string;
  readonly message: string;
  readonly system: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** What to do, where the answer itself names the figures for it. */
  readonly hint: string | undefined;
}

interface ServiceError {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

function errorFacts(thrown: unknown): Facts {
  const error = (typeof thrown === "object" && thrown !== null ? thrown : {}) as ServiceError;
  return {
    name: text(error.name),
    message: text(error.message),
    system: text(error.code),
    status: error.$metadata?.httpStatusCode,
    requestId: error.$metadata?.requestId,
    retryAfterMs: retryAfterMs(error.$response?.headers),
    hint: hintOf(error),
  };
}

/** The region in which a bucket is, or by how much a clock is wrong: services say it. */
function hintOf({
  name: given,
  message,
  $metadata: { httpStatusCode: status } = {},
  $response: { headers = {} } = {},
}: ServiceError): string | undefined {
  const name = text(given);
  const [, expected] = /expecting ['"]([\w-]+)['"]/.exec(text(message)) ?? [];
  const region = headers["x-amz-bucket-region"] ?? expected;
  const meaning = byName[name] ?? byStatus[status ?? 0];
  if (region !== undefined && meaning === wrongRegion) {
    return `the bucket is in ${region}: set \`region: ${region}\` of this backend`;
  }
  const aheadMs = Date.now() - Date.parse(headers["date"] ?? "");
  if (name !== "RequestTimeTooSkewed" || !Number.isFinite(aheadMs)) return undefined;
  const where = aheadMs > 0 ? "ahead of" : "behind";
  return `this clock is ${formatDuration(Math.abs(aheadMs))} ${where} the service's: set it (NTP)`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function describe({ name, status, message }: Facts): string {
  const label = [name, status].filter((part) => part !== "" && part !== undefined).join(" ");
  // What OpenSSL says has its ends of lines with it; what the SDK adds is for who programs with it.
  const [told = ""] = message.split(/\s*Deserialization error:/, 1);
  // And OpenSSL says where in its source: "…:SSL routines:FUNCTION:REASON:FILE:LINE:".
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(told)?.[1];
  const said = (reason ?? told).replaceAll(/\s+/g, " ").trim();
  // What the SDK says where an answer has no message is none.
  return said === "" || said === name || said === "UnknownError" ? label : `${label}: ${said}`;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const credentials = "check accessKeyId and secretAccessKey of this backend";
const wrongKey: Meaning = {
  code: "UNAUTHENTICATED",
  text: "the service does not accept the credentials",
  hint: credentials,
};
const expired: Meaning = {
  code: "UNAUTHENTICATED",
  text: "the credentials have expired",
  hint: "renew the session token, or use credentials that renew themselves",
};
const denied: Meaning = {
  code: "FORBIDDEN",
  text: "the credentials do not allow this",
  hint: "the key needs s3:GetObject, PutObject, DeleteObject, ListBucket and AbortMultipartUpload",
};
// A backend that is set up wrongly, not an object with a problem: its work waits until it is mended.
const noBucket: Meaning = {
  code: "UNAVAILABLE",
  text: "the bucket does not exist",
  hint: "create it, or correct `bucket` and `endpoint` of this backend",
  retryable: false,
};
const absent: Meaning = { code: "NOT_FOUND", text: "it is not there" };
const wrongRegion: Meaning = {
  code: "UNAVAILABLE",
  text: "the bucket is in another region",
  hint: "set `region` of this backend to the region of the bucket",
  retryable: false,
};
const slowDown: Meaning = { code: "RATE_LIMITED", text: "the service asks to slow down" };
const unreachable: Meaning = {
  code: "UNAVAILABLE",
  text: "the service cannot be reached",
  hint: "check `endpoint` (http:// or https://) and the network",
};
const noSuchHost: Meaning = {
  ...unreachable,
  text: "no host of this name is found",
  hint: "where the service has no host name for each bucket, set `forcePathStyle: true`; else check `endpoint` and the network",
};
const noTls: Meaning = {
  code: "UNAVAILABLE",
  text: "no TLS connection came about",
  hint: "where the service has no TLS, `endpoint` begins with http://",
};
const untrusted: Meaning = {
  code: "UNAVAILABLE",
  text: "the certificate of the service is not trusted",
  hint: "have NODE_EXTRA_CA_CERTS name the certificate of who signed it, or correct `endpoint`",
  retryable: false,
};
const broken: Meaning = { code: "UNAVAILABLE", text: "the service has a problem of its own" };
const noAnswer: Meaning = { code: "TIMEOUT", text: "no answer in time" };
const damaged: Meaning = {
  code: "UNAVAILABLE",
  text: "the bytes did not arrive as they were sent",
};
const full: Meaning = {
  code: "NO_SPACE",
  text: "the service has no room left",
  hint: "raise the quota, or add a rule that evicts or demotes from this backend",
};
const raced: Meaning = { code: "CONFLICT", text: "another request changed the object meanwhile" };
const exists: Meaning = { code: "ALREADY_EXISTS", text: "another writer has just stored it" };
const unsupported: Meaning = {
  code: "NOT_SUPPORTED",
  text: "the service does not know this",
  hint: "for services that lack them, set `conditionalCreate: false` or `checksums: false`",
};
const tooLarge: Meaning = { code: "NOT_SUPPORTED", text: "too large for the service" };
const refused: Meaning = { code: "NOT_SUPPORTED", text: "the service refuses the request" };
// Never NOT_FOUND: an answer we do not know must not be read as "the copy is lost".
const strange = {
  code: "UNAVAILABLE",
  text: "the service does not answer as S3 does",
  hint: "check `endpoint` and `forcePathStyle` of this backend",
  retryable: false,
} as const satisfies Meaning;
const archived: Meaning = {
  code: "NOT_SUPPORTED",
  text: "the object lies in an archive class and must be restored first",
  hint: "copies from it wait until it is restored; reads of people need it restored before",
};
const unknown: Meaning = { code: "INTERNAL", text: "failed" };

const byName: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  InvalidSecurity: wrongKey,
  // What versitygw says of a key id it does not know.
  XAdminUserNotFound: wrongKey,
  CredentialsProviderError: {
    code: "UNAUTHENTICATED",
    text: "no credentials were found",
    hint: "give accessKeyId and secretAccessKey, or set up the AWS default chain",
  },
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  TokenRefreshRequired: expired,
  InvalidToken: expired,
  RequestTimeTooSkewed: {
    code: "UNAUTHENTICATED",
    text: "the clock of this machine is wrong",
    hint: "set the clock (NTP): signatures are valid for a few minutes only",
  },
  AccessDenied: denied,
  AllAccessDisabled: denied,
  AccountProblem: denied,
  NoSuchBucket: noBucket,
  NoSuchKey: absent,
  // The name that the SDK gives to an answer to HEAD, which has no body.
  NotFound: absent,
  NoSuchUpload: absent,
  // Another writer sent the same part of the same upload.
  InvalidPart: raced,
  InvalidPartOrder: raced,
  PermanentRedirect: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  SlowDown: slowDown,
  Throttling: slowDown,
  ThrottlingException: slowDown,
  RequestLimitExceeded: slowDown,
  TooManyRequests: slowDown,
  TimeoutError: noAnswer,
  RequestTimeout: noAnswer,
  BadDigest: damaged,
  XAmzContentSHA256Mismatch: damaged,
  XAmzContentChecksumMismatch: damaged,
  IncompleteBody: damaged,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  PreconditionFailed: exists,
  ConditionalRequestConflict: raced,
  OperationAborted: raced,
  NotImplemented: unsupported,
  MethodNotAllowed: unsupported,
  EntityTooLarge: tooLarge,
  InvalidStorageClass: {
    code: "INVALID_DOCUMENT",
    text: "the service has no such storage class",
    hint: "correct `storageClass` of this backend",
  },
  InvalidObjectState: archived,
  ObjectNotInActiveTierError: archived,
};

const byNetwork: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  ENOTFOUND: noSuchHost,
  EAI_AGAIN: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EPIPE: unreachable,
  ETIMEDOUT: noAnswer,
  EPROTO: noTls,
  CERT_HAS_EXPIRED: untrusted,
  CERT_NOT_YET_VALID: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
};

const byStatus: Readonly<Record<number, Meaning>> = {
  301: wrongRegion,
  307: wrongRegion,
  401: wrongKey,
  403: denied,
  404: strange,
  405: unsupported,
  408: noAnswer,
  409: raced,
  412: exists,
  429: slowDown,
  500: broken,
  501: unsupported,
  502: broken,
  503: slowDown,
  504: noAnswer,
  507: full,
};
