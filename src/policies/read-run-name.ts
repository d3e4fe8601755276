import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { field, isRecord } from "#policies/raw-value.ts";
import { runActionDefinitions } from "#policies/run-actions/run-actions.ts";

/** Reports a `run:` that names no action, or several. An unknown one the schema reports. */
export function readRunName(
  rawRule: unknown,
  path: DocumentPath,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const run = field(rawRule, "run");
  if (!isRecord(run)) return [];
  const names = runActionDefinitions.map(({ name }) => name as string);
  const given = Object.keys(run);
  const [second] = given.slice(1);
  if (given.length === 1 || given.some((key) => !names.includes(key))) return [];
  const message =
    second === undefined ? "run: does not say which action" : `run: names ${given.join(" and ")}`;
  const hint = second === undefined ? `add one of ${names.join(", ")}` : "use a rule for each";
  const at = second === undefined ? [...path, "run"] : [...path, "run", second];
  return [places.diagnostic(places.key(at), { code: "E0161", message, hint })];
}
