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
): Promise<void> {
  if (!mayBeOutage(error)) return;
  if (error.code === "RATE_LIMITED") throw outage(backend, error);
  try {
    const status = await driver.status({ signal: AbortSignal.timeout(statusTimeoutMs) });
    if (status.writable || !writing) return;
  } catch (thrown) {
    throw outage(backend, EngineError.from(thrown, "UNAVAILABLE"));
  }
  throw outage(backend, error);
}

/** The backend that is out, when this error says that one is. */
export function backendOut(error: EngineError): string | undefined {
  const { out } = error.details;
  return typeof out === "string" ? out : undefined;
}

function outage(backend: string, error: EngineError): EngineError {
  return new EngineError(error.code, `backend ${backend} is out: ${error.message}`, {
    cause: error,
    details: { out: backend },
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
