import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";

const expiry = "expiredPermit";

/** Why a permit that ran out opens nothing any more; its action gets another one. */
export function permitExpired(permit: RemovalPermit): EngineError {
  const message = `the permit to remove the copy on ${permit.backend} ran out at ${permit.expiresAt}`;
  const hint = "nothing to do: the removal is judged again, and gets another permit";
  return new EngineError("REFUSED", message, { hint, details: { [expiry]: permit.id } });
}

/** Whether an error says that a permit had run out before it was used. */
export function isPermitExpired({ details }: EngineError): boolean {
  return details[expiry] !== undefined;
}
