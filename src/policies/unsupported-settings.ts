import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

/** What the engine would have to do for each of these keys, and does not do yet. */
const unsupported = {
  limits: "use `limit` of each rule, and the guards of `apply`",
  approval: "no approval is asked for; `apply` runs what its guards let pass",
} as const satisfies Partial<Record<keyof PolicyDocument, string>>;

/** Warns of keys that are read and checked but not acted on: nobody shall rely on them. */
export function unsupportedSettings(
  document: PolicyDocument,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  return Object.entries(unsupported)
    .filter(([key]) => document[key as keyof typeof unsupported] !== undefined)
    .map(([key, consequence]) =>
      places.diagnostic(places.key([key]), {
        severity: "warning",
        code: "W0401",
        message: `"${key}" is checked, but this version of the engine does not act on it`,
        hint: consequence,
      }),
    );
}
