import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { SharedNames } from "#policies/definitions/shared-names.ts";
import { field, isRecord } from "#policies/raw-value.ts";

/**
 * Variables and classes that a document declares although it has them from others. Not even on
 * purpose: classes it has from there would go on to mean the other one.
 */
export function repeatedNames(
  raw: unknown,
  places: DocumentPlaces,
  { variables, classes }: SharedNames,
): readonly Diagnostic[] {
  return [...repeated("vars", "variables", variables), ...repeated("classes", "classes", classes)];

  function repeated(
    key: "vars" | "classes",
    words: string,
    shared: ReadonlyMap<string, { readonly label: string }>,
  ): readonly Diagnostic[] {
    const own = field(raw, key);
    return Object.keys(isRecord(own) ? own : {}).flatMap((name) => {
      const other = shared.get(name);
      if (other === undefined) return [];
      const message = `there are two ${words} "${name}"; an included one is at ${other.label}`;
      const hint = "give this one another name, or remove one of the two";
      return [places.diagnostic(places.key([key, name]), { code: "E0160", message, hint })];
    });
  }
}
