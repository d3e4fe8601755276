import type { DocumentSource } from "#document/document-source.ts";
import { type ParsedDocument, parseDocuments } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import type { Policy } from "#policies/policy.ts";
import { type PolicyDocument, policySchema } from "#policies/policy-schema.ts";
import { field, isRecord } from "#policies/raw-value.ts";
import { strangeVariables } from "#policies/strange-variables.ts";
import type { ParsedCalendars } from "#policies/timing/parse-calendars.ts";
import { readPolicy } from "#policies/read-policy.ts";

export interface ParseOptions {
  readonly registry: AttributeRegistry;
  /** Values of variables from outside (`--var name=value`), for all policies that have them. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What `calendar: name` in windows may refer to. */
  readonly calendars?: Pick<ParsedCalendars, "calendars" | "names">;
}

export interface ParsedPolicies {
  /** Those without an error, in the order of the sources. */
  readonly policies: readonly Policy[];
  readonly diagnostics: readonly Diagnostic[];
  /** Names of the variables of all of them, also of those with errors. */
  readonly variables: readonly string[];
}

/** Texts of policy files → checked policies, and everything that is wrong with them at once. */
export function parsePolicies(
  sources: readonly DocumentSource[],
  options: ParseOptions,
): ParsedPolicies {
  const diagnostics: Diagnostic[] = [];
  const policies: Policy[] = [];
  const firstPlaces = new Map<string, string>();
  const declared = new Set<string>();
  for (const source of sources) {
    const parsed = parseDocuments(source, policySchema);
    diagnostics.push(...parsed.diagnostics);
    for (const document of parsed.documents) {
      for (const name of variableNames(document.raw)) declared.add(name);
      const result = readPolicy(document, options);
      const repeated = reportRepeatedName(document, firstPlaces);
      diagnostics.push(...result.diagnostics, ...repeated);
      if (result.policy !== undefined && repeated.length === 0) policies.push(result.policy);
    }
  }
  diagnostics.push(...strangeVariables(options.variables ?? {}, [...declared]));
  return {
    policies,
    diagnostics: diagnostics.toSorted(byPlace),
    variables: [...declared],
  };
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
