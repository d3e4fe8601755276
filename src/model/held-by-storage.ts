import type { StorageLock } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";

/** The error for a copy that its storage lets nobody remove: a hold, and no failure. */
export function heldByStorage(message: string, lock: StorageLock): EngineError {
  const details = { held: true, lock };
  const hint = "the lock is the storage's own: it is lifted there, or runs out";
  return new EngineError("REFUSED", message, { details, hint });
}

export function isHeldByStorage({ details }: EngineError): boolean {
  return details["held"] === true;
}

/** What holds it, as far as the error tells. */
export function lockOfError(error: EngineError): StorageLock | undefined {
  return isHeldByStorage(error) ? (error.details["lock"] as StorageLock | undefined) : undefined;
}
