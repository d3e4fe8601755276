import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";

/** Why a permit that ran out opens nothing any more. */
export function permitExpired(permit: RemovalPermit): EngineError {
  const message = `the permit to remove the copy on ${permit.backend} ran out at ${permit.expiresAt}`;
  return new EngineError("REFUSED", message, { hint: "apply the plan again" });
}
