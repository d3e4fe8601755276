import type { ZodType, core } from "zod";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import { documentCodes } from "#document/diagnostic-codes.ts";
import { type IssueFinding, issueFindings } from "#document/issue-findings.ts";

export interface CheckedValue<T> {
  /** Present exactly when there is no error. */
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Validates the value at a path of a document. Every issue becomes a diagnostic at the right
 * key or value.
 *
 * A schema's own checks may add `params` to a custom issue: `code` and `hint` of the
 * diagnostic, and `from`/`to`, offsets inside the text at the issue's path.
 */
export function checkValue<T>(
  places: DocumentPlaces,
  path: DocumentPath,
  raw: unknown,
  schema: ZodType<T>,
): CheckedValue<T> {
  const result = schema.safeParse(raw);
  if (result.success) return { value: result.data, diagnostics: [] };
  const issues: readonly core.$ZodIssue[] = result.error.issues;
  const findings = issues.flatMap((issue) => issueFindings(issue, raw, schema));
  const diagnostics = withoutMisspelt(findings).map(({ place, path: at, finding, from, to }) => {
    const full = [...path, ...at];
    if (from !== undefined) {
      return places.diagnostic(places.within(full, from, to ?? from), finding);
    }
    return places.diagnostic(place === "key" ? places.key(full) : places.value(full), finding);
  });
  return { value: undefined, diagnostics: diagnostics.toSorted(byPlace) };
}

/** A key that is only written wrongly is one mistake, not a missing key too. */
function withoutMisspelt(findings: readonly IssueFinding[]): readonly IssueFinding[] {
  const meant = new Set(findings.flatMap((one) => (one.meant ? [nameOf(one.meant)] : [])));
  return findings.filter(
    ({ finding, path }) => finding.code !== documentCodes.missingKey || !meant.has(nameOf(path)),
  );
}

function nameOf(path: DocumentPath): string {
  return JSON.stringify(path.map(String));
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const line = a.range.start.line - b.range.start.line;
  return line === 0 ? a.range.start.column - b.range.start.column : line;
}
