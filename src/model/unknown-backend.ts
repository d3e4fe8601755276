import { EngineError } from "#model/engine-error.ts";
import { nameHint } from "#model/name-hint.ts";

/** The error for the name of a backend that there is not: what was meant, and what there is. */
export function unknownBackend(name: string, known: readonly string[]): EngineError {
  const names = known.toSorted();
  const hint = nameHint(name, names, "backends of the configuration");
  const all = hint.startsWith("did you mean") ? ` (backends: ${names.join(", ")})` : "";
  return new EngineError("NOT_FOUND", `there is no backend "${name}"`, { hint: `${hint}${all}` });
}
