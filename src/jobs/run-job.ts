import { setTimeout as sleep } from "node:timers/promises";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** An object is tried this often within one job. */
export const objectAttemptsMax = 4;
const baseDelayMs = 250;
const delayMaxMs = 15_000;
/** Longer than this nobody waits within a job: the job itself steps aside. */
const patienceMaxMs = 30_000;

/** Codes that may mean that a whole backend is out, not that one object has a problem. */
const outageCodes: ReadonlySet<ErrorCode> = new Set([
  "UNAVAILABLE",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "TIMEOUT",
  "WRITES_DISABLED",
  "RATE_LIMITED",
]);

export type RetryDecision =
  | { readonly retry: true; readonly afterMs: number }
  | { readonly retry: false };

/**
 * The one retry decision of the engine: whether a call that failed `attempt` times (from 1) is
 * made again, and when. Drivers classify, nobody else retries.
 */
export function decideRetry(
  error: EngineError,
  attempt: number,
  random: () => number,
): RetryDecision {
  if (!error.retryable || attempt >= objectAttemptsMax) return { retry: false };
  const backoffMs = Math.min(baseDelayMs * 2 ** (attempt - 1), delayMaxMs);
  // Half fixed, half random: many workers that failed together do not return together.
  const afterMs = backoffMs / 2 + (random() * backoffMs) / 2;
  const waitMs = Math.max(afterMs, error.retryAfterMs ?? 0);
  return waitMs > patienceMaxMs ? { retry: false } : { retry: true, afterMs: waitMs };
}

/** Runs a call, again where `decideRetry` says so. The signal ends it between and during tries. */
export async function runWithRetries<Result>(
  call: () => Promise<Result>,
  options: {
    readonly signal: AbortSignal;
    readonly random?: () => number;
    /** Hears of each failure that is followed by another try. */
    readonly onRetry?: (error: EngineError) => void;
  },
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    options.signal.throwIfAborted();
    try {
      return await call();
    } catch (thrown) {
      options.signal.throwIfAborted();
      const error = EngineError.from(thrown);
      const decision = decideRetry(error, attempt, options.random ?? Math.random);
      if (!decision.retry) throw error;
      options.onRetry?.(error);
      await sleep(decision.afterMs, undefined, { signal: options.signal });
    }
  }
}

/** Whether an error that outlasted its retries may be the backend's and not the object's. */
export function mayBeOutage(error: EngineError): boolean {
  return outageCodes.has(error.code);
}

const outageDelayMinMs = 2_000;
const outageDelayMaxMs = 60_000;

/** How long a job steps aside when it met its `count`-th outage in a row (from 1). */
export function outageDelayMs(error: EngineError, count: number): number {
  const delayMs = Math.min(outageDelayMinMs * 2 ** Math.min(count - 1, 10), outageDelayMaxMs);
  return Math.max(delayMs, error.retryAfterMs ?? 0);
}
