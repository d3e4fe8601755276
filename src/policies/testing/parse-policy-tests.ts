import type { DocumentSource } from "#document/document-source.ts";
import { type ParsedDocument, parseDocuments } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyTest } from "#policies/testing/policy-test.ts";
import { type PolicyTestDocument, policyTestSchema } from "#policies/testing/policy-test-schema.ts";
import { readCases } from "#policies/testing/read-cases.ts";

export interface ParsedPolicyTests {
  /** Those without an error, in the order of the sources. */
  readonly tests: readonly PolicyTest[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Texts of test files → checked tests, and everything that is wrong with them at once. */
export function parsePolicyTests(
  sources: readonly DocumentSource[],
  drivers: readonly string[],
): ParsedPolicyTests {
  const tests: PolicyTest[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    const parsed = parseDocuments(source, policyTestSchema);
    diagnostics.push(...parsed.diagnostics);
    for (const document of parsed.documents) {
      const read = readTest(document, drivers);
      diagnostics.push(...read.diagnostics);
      if (read.test !== undefined) tests.push(read.test);
    }
  }
  return { tests, diagnostics };
}

function readTest(
  { value: document, places }: ParsedDocument<PolicyTestDocument>,
  drivers: readonly string[],
): { readonly test: PolicyTest | undefined; readonly diagnostics: readonly Diagnostic[] } {
  if (document === undefined) return { test: undefined, diagnostics: [] };
  const { cases, diagnostics } = readCases(document, places, drivers);
  if (diagnostics.length > 0) return { test: undefined, diagnostics };
  const { metadata, policies, heatHalfLife, minimumCopies } = document;
  const settings = { policies, heatHalfLifeMs: heatHalfLife, minimumCopies };
  return { test: { name: metadata.name, ...settings, cases, places }, diagnostics };
}
