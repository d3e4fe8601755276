import { resolve } from "node:path";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DriverDefinition } from "#model/driver.ts";
import { checkValue } from "#document/check-value.ts";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPlaces } from "#document/document-places.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import { inputJsonSchema } from "#config/setting-names.ts";

export interface CheckedBackends {
  /** Options as each driver's schema gives them, by position in the list. */
  readonly options: readonly unknown[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks what the schema of the file cannot know: drivers, their options, unique names. */
export function checkBackends(
  raw: unknown,
  places: DocumentPlaces,
  drivers: ReadonlyMap<string, DriverDefinition>,
  directory: string,
): CheckedBackends {
  const entries: readonly unknown[] =
    isRecord(raw) && Array.isArray(raw["backends"]) ? raw["backends"] : [];
  const seen = new Map<string, string>();
  const results = entries.map((entry, position) => {
    if (!isRecord(entry)) return { value: undefined, diagnostics: [] };
    const repeated = repeatedName(entry["name"], position, places, seen);
    const checked = checkOptions(entry, position, places, drivers, directory);
    return { value: checked.value, diagnostics: [...repeated, ...checked.diagnostics] };
  });
  return {
    options: results.map((result) => result.value),
    diagnostics: results.flatMap((result) => result.diagnostics),
  };
}

function repeatedName(
  name: unknown,
  position: number,
  places: DocumentPlaces,
  seen: Map<string, string>,
): readonly Diagnostic[] {
  if (typeof name !== "string") return [];
  const path = ["backends", position, "name"];
  const first = seen.get(name);
  seen.set(name, first ?? places.label(path));
  if (first === undefined) return [];
  return [
    places.diagnostic(places.value(path), {
      code: documentCodes.invalidValue,
      message: `a second backend is named "${name}"`,
      hint: `the first one stands at ${first}; names are how policies tell them apart`,
    }),
  ];
}

function checkOptions(
  entry: Readonly<Record<string, unknown>>,
  position: number,
  places: DocumentPlaces,
  drivers: ReadonlyMap<string, DriverDefinition>,
  directory: string,
): { readonly value: unknown; readonly diagnostics: readonly Diagnostic[] } {
  const name = entry["driver"];
  if (typeof name !== "string") return { value: undefined, diagnostics: [] };
  const driver = drivers.get(name);
  if (driver === undefined) {
    const known = [...drivers.keys()];
    const nearest = nearestMatch(name, known);
    const list = `known: ${known.join(", ")}`;
    const finding = {
      code: documentCodes.invalidValue,
      message: `there is no driver "${name}"`,
      hint: nearest === undefined ? list : `did you mean "${nearest}"? (${list})`,
    };
    const place = places.value(["backends", position, "driver"]);
    return { value: undefined, diagnostics: [places.diagnostic(place, finding)] };
  }
  const options = withAbsolutePaths(entry["options"] ?? {}, driver, directory);
  return checkValue(places, ["backends", position, "options"], options, driver.options);
}

/** Options marked `format: path` by their driver are relative to the configuration file. */
function withAbsolutePaths(options: unknown, driver: DriverDefinition, directory: string): unknown {
  if (!isRecord(options)) return options;
  const { properties = {} } = inputJsonSchema(driver.options);
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => {
      const isPath = Object.hasOwn(properties, key) && properties[key]?.format === "path";
      return [key, isPath && typeof value === "string" ? resolve(directory, value) : value];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
