import type { ErrorCode } from "#model/engine-error.ts";

/** After these the same bytes may be sent again, to go on where this try ended. */
export const worthResuming: ReadonlySet<ErrorCode> = new Set([
  "CANCELLED",
  "UNAVAILABLE",
  "TIMEOUT",
  "RATE_LIMITED",
  "UNAUTHENTICATED",
  "FORBIDDEN",
]);
