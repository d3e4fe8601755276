import type { OutageReport } from "#model/backend-health.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { mayBeOutage } from "#jobs/run-job.ts";

const statusTimeoutMs = 10_000;

/**
 * Throws when an error that one object met is really the whole backend's: then the job steps
 * aside with everything it has left, instead of failing object after object.
 */
export async function throwIfOut(
  backend: string,
  driver: Driver,
  error: EngineError,
  writing: boolean,
  bytes?: number,
): Promise<void> {
  if (error.code === "NO_SPACE") return throwIfFull(backend, driver, error, bytes ?? 0);
  if (!mayBeOutage(error)) return;
  if (error.code === "RATE_LIMITED") throw outage(backend, error);
  try {
    const status = await driver.status({ signal: AbortSignal.timeout(statusTimeoutMs) });
    if (status.writable || !writing) return;
  } catch (thrown) {
    throw outage(backend, EngineError.from(thrown, "UNAVAILABLE"));
  }
  throw takesNoWrites(backend, error);
}

/**
 * A full backend is full for every object, unless this one alone is larger than all of it. Free
 * and used bytes do not tell: what others are writing just now is neither.
 */
async function throwIfFull(
  backend: string,
  driver: Driver,
  error: EngineError,
  bytes: number,
): Promise<void> {
  const signal = AbortSignal.timeout(statusTimeoutMs);
  const status = await driver.status({ signal }).catch((thrown: unknown) => {
    throw outage(backend, EngineError.from(thrown, "UNAVAILABLE"));
  });
  if (status.totalBytes !== undefined && bytes > status.totalBytes) return;
  throw outage(backend, error, bytes);
}

/** It answers and says that it cannot be written to: what this object met is true of all. */
function takesNoWrites(backend: string, error: EngineError): EngineError {
  return new EngineError(
    "WRITES_DISABLED",
    `backend ${backend} takes no writes: ${error.message}`,
    {
      cause: error,
      details: { out: backend },
    },
  );
}

/** The backend that is out, and how, when this error says that one is. */
export function outageOf(error: EngineError): Omit<OutageReport, "node"> | undefined {
  const { out, bytes } = error.details;
  if (typeof out !== "string") return undefined;
  const cause = error.cause === undefined ? error : EngineError.from(error.cause, error.code);
  const room = typeof bytes === "number" ? { bytes } : {};
  return { backend: out, code: error.code, message: cause.message, ...room };
}

function outage(backend: string, error: EngineError, bytes?: number): EngineError {
  return new EngineError(error.code, `backend ${backend} is out: ${error.message}`, {
    cause: error,
    details: { out: backend, ...(bytes === undefined ? {} : { bytes }) },
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
