import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

/** Keys on which the engine does not act yet, and what holds instead. */
const unsupported = [
  {
    path: ["limits", "cost"],
    isSet: ({ limits }) => limits?.cost?.per !== undefined,
    consequence: "budgets of a month are not kept yet; cost: 50 USD bounds each plan",
  },
] as const satisfies readonly {
  readonly path: readonly string[];
  readonly isSet: (document: PolicyDocument) => boolean;
  readonly consequence: string;
}[];

/** Warns of keys that are read and checked but not acted on: nobody shall rely on them. */
export function unsupportedSettings(
  document: PolicyDocument,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  return unsupported
    .filter(({ isSet }) => isSet(document))
    .map(({ path, consequence }) =>
      places.diagnostic(places.key(path), {
        severity: "warning",
        code: "W0401",
        message: `"${path.join(".")}" is checked, but this version of the engine does not act on it`,
        hint: consequence,
      }),
    );
}
