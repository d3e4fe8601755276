import type { Backend } from "#model/backend.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { nameHint } from "#model/name-hint.ts";
import type { Policy } from "#policies/policy.ts";

/** Triggers on backends that are not configured, or whose usage nobody can know. */
export function checkTriggers(
  { timing, places }: Policy,
  backends: readonly Backend[],
): readonly Diagnostic[] {
  const names = backends.map(({ name }) => name);
  return timing.triggers.flatMap((trigger, position) => {
    if (trigger.kind !== "usage") return [];
    const place = places.value(["triggers", position, "usage", "backend"]);
    const backend = backends.find(({ name }) => name === trigger.backend);
    if (backend === undefined) {
      const hint = nameHint(trigger.backend, names, "configured backends");
      const message = `there is no backend "${trigger.backend}"`;
      return [places.diagnostic(place, { code: "E0305", message, hint })];
    }
    if (backend.capacityBytes !== undefined) return [];
    const message = `backend "${backend.name}" has no capacity: it is never full`;
    const hint = "set `capacity` of the backend in the configuration";
    return [places.diagnostic(place, { severity: "warning", code: "W0414", message, hint })];
  });
}
