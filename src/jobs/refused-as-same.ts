import type { StepContext } from "#jobs/step-context.ts";
import type { Storages } from "#jobs/storages.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { RemovalEnd, SameStorageEnd } from "#model/run.ts";

/** The backend whose copy may go, and those of the copies that must remain. */
export function placesOf({ backend, reserved }: RemovalPermit): readonly string[] {
  return [backend, ...reserved.map((copy) => copy.backend)];
}

/** The copies that must remain, and the one that goes, have to be as many storages. */
export async function refusedAsSame(
  permit: RemovalPermit,
  storages: Storages,
  { signal, drivers }: Pick<StepContext, "signal" | "drivers">,
): Promise<RemovalEnd | undefined> {
  const places = placesOf(permit);
  for (const [at, place] of places.entries()) {
    try {
      const same = await storages.sameAs(place, places.slice(0, at));
      if (same === undefined) continue;
      const [one, other] = [place, same].map((name) => drivers.get(name)?.identity?.hint);
      return sameRefusal(same, place, one ?? other);
    } catch (thrown) {
      signal.throwIfAborted();
      const error = EngineError.from(thrown);
      const { code, message, retryable, details } = error;
      if (details["out"] !== undefined) throw error;
      // What only has to come back is no fault of the object.
      if (retryable) return { outcome: "skipped", reason: `kept: ${message}` };
      return { outcome: "failed", code, message: `kept: ${message}` };
    }
  }
  return undefined;
}

/** No failure: the copy stays, and permits rest on other copies once the controller knows. */
export function sameRefusal(one: string, other: string, hint?: string): SameStorageEnd {
  const said = `kept: backends ${one} and ${other} are the same storage, and hold one copy`;
  const reason = hint === undefined ? said : `${said}; ${hint}`;
  return { outcome: "skipped", reason, sameStorage: [one, other] };
}
