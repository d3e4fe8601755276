import type { DocumentSource } from "#document/document-source.ts";
import { type ParsedDocument, parseDocuments } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { type AnyDocument, kindOf, schemaOfKind } from "#policies/definitions/document-kinds.ts";
import { IncludedNames, type PolicyFile } from "#policies/definitions/included-names.ts";
import type { Policy } from "#policies/policy.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";
import { foreignWordHint } from "#policies/foreign-words.ts";
import { field, isRecord } from "#policies/raw-value.ts";
import { strangeVariables } from "#policies/strange-variables.ts";
import type { CalendarDocument } from "#policies/timing/calendar-schema.ts";
import type { ParsedCalendars } from "#policies/timing/parse-calendars.ts";
import { readCalendars } from "#policies/timing/read-calendars.ts";
import { readPolicy } from "#policies/read-policy.ts";

export interface ParseOptions {
  readonly registry: AttributeRegistry;
  /** Values of variables from outside (`--var name=value`), for all policies that have them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What `calendar: name` in windows may refer to, besides the calendars among the sources. */
  readonly calendars?: Pick<ParsedCalendars, "calendars" | "names" | "files">;
}

export interface ParsedPolicies {
  /** Those without an error, in the order of the sources. */
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
  /** Names of the variables of all of them, also of those with errors. */
  readonly variables: readonly string[];
}

/**
 * Texts of policy files and of all that they include → checked policies, and everything that is
 * wrong with them at once.
 */
export function parsePolicies(
  sources: readonly DocumentSource[],
  options: ParseOptions,
): ParsedPolicies {
  const diagnostics: Diagnostic[] = [];
  const files = new Map<string, PolicyFile>();
  for (const source of sources) {
    // A calendar beside the policies that is included as well was read with the others.
    if (options.calendars?.files.has(source.file) === true) continue;
    const parsed = parseDocuments(source, schemaOfKind);
    diagnostics.push(...parsed.diagnostics.map(withForeignHint));
    files.set(source.file, { source, documents: parsed.documents });
  }
  const documents = [...files.values()].flatMap((file) => file.documents);
  const calendars = readCalendars(documents.filter(isCalendar), options.calendars);
  const names = new IncludedNames(files, options);
  diagnostics.push(...calendars.diagnostics, ...names.diagnostics);
  const policies: Policy[] = [];
  const firstPlaces = new Map<string, string>();
  for (const document of documents.filter(isPolicy)) {
    const inherited = names.of(document);
    const result = readPolicy(document, { ...options, calendars, inherited });
    const repeated = reportRepeatedName(document, firstPlaces);
    diagnostics.push(...result.diagnostics, ...repeated);
    if (result.policy !== undefined && repeated.length === 0) policies.push(result.policy);
  }
  const declared = [...new Set(documents.flatMap(({ raw }) => variableNames(raw)))];
  diagnostics.push(...strangeVariables(options.variables ?? {}, declared));
  return { policies, diagnostics: diagnostics.toSorted(byPlace), variables: declared };
}

/** A key of another system is not listed against all that there are: its own word is named. */
function withForeignHint(diagnostic: Diagnostic): Diagnostic {
  const [, key = ""] = /^unknown key "([^"]+)"/.exec(diagnostic.message) ?? [];
  const hint = foreignWordHint(key, "key");
  return hint === undefined ? diagnostic : { ...diagnostic, hint };
}

/** By its YAML value, so that an error of structure does not make it something else. */
function isPolicy(
  document: ParsedDocument<AnyDocument>,
): document is ParsedDocument<PolicyDocument> {
  return kindOf(document.raw) === "Policy";
}

function isCalendar(
  document: ParsedDocument<AnyDocument>,
): document is ParsedDocument<CalendarDocument> {
  return kindOf(document.raw) === "Calendar";
}

function reportRepeatedName(
  { raw, places }: ParsedDocument<PolicyDocument>,
  firstPlaces: Map<string, string>,
): readonly Diagnostic[] {
  const name = field(field(raw, "metadata"), "name");
  if (typeof name !== "string") return [];
  const path = ["metadata", "name"];
  const first = firstPlaces.get(name);
  if (first === undefined) {
    firstPlaces.set(name, places.label(path));
    return [];
  }
  const message = `there are two policies "${name}"; the first is at ${first}`;
  const hint = "give this one another name, or remove one of the two";
  return [places.diagnostic(places.value(path), { code: "E0160", message, hint })];
}

function variableNames(raw: unknown): readonly string[] {
  const variables = field(raw, "vars");
  return isRecord(variables) ? Object.keys(variables) : [];
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  const lines = a.range.start.line - b.range.start.line;
  return lines === 0 ? a.range.start.column - b.range.start.column : lines;
}
