import { EngineError } from "#model/engine-error.ts";

/** The error for a copy that its storage lets nobody remove: a hold, and no failure. */
export function heldByStorage(message: string, until?: string): EngineError {
  const details = { held: true, ...(until === undefined ? {} : { until }) };
  const hint = "the lock is the storage's own: it is lifted there, or runs out";
  return new EngineError("REFUSED", message, { details, hint });
}

export function isHeldByStorage({ details }: EngineError): boolean {
  return details["held"] === true;
}
