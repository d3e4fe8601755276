import type { ObjectRef } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";

/** The last gate before bytes are given up: a permit for another copy opens nothing. */
export function checkPermit(backend: string, object: ObjectRef, permit: RemovalPermit): void {
  if (permit.backend === backend && permit.cid === object.cid) return;
  throw new EngineError(
    "REFUSED",
    `permit ${permit.id} is for ${permit.cid} on ${permit.backend}, ` +
      `not for ${object.cid} on ${backend}`,
    { hint: "this is a defect: please report it with the run's ledger" },
  );
}
