import type { Diagnostic } from "#model/diagnostic.ts";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPlaces } from "#document/document-places.ts";
import { nearestMatch } from "#model/nearest-match.ts";

/** Lists of backends elsewhere in the file. */
const lists = [
  ["snapshots", "push"],
  ["scrub", "backends"],
] as const;

/** What is pushed to or scrubbed are backends that the file names. */
export function checkNamedBackends(raw: unknown, places: DocumentPlaces): readonly Diagnostic[] {
  const names = listAt(raw, "backends").flatMap((backend) => {
    const name = fieldOf(backend, "name");
    return typeof name === "string" ? [name] : [];
  });
  return lists.flatMap(([section, list]) =>
    listAt(fieldOf(raw, section), list).flatMap((name, position) => {
      if (typeof name !== "string" || names.includes(name)) return [];
      const nearest = nearestMatch(name, names);
      return [
        places.diagnostic(places.value([section, list, position]), {
          code: documentCodes.invalidValue,
          message: `there is no backend "${name}"`,
          hint: nearest === undefined ? "name one of `backends`" : `did you mean "${nearest}"?`,
        }),
      ];
    }),
  );
}

function listAt(value: unknown, key: string): readonly unknown[] {
  const list = fieldOf(value, key);
  return Array.isArray(list) ? list : [];
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
