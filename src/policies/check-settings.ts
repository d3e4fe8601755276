import type { DocumentPlaces } from "#document/document-places.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { parseExpression } from "#policies/expression/parse-expression.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

/** Checks what the schema cannot, of the settings that are not about time: approval. */
export function checkSettings(
  document: PolicyDocument,
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const when = document.approval?.when;
  if (when !== undefined) {
    parseExpression(when, ({ code, span, message, hint }) => {
      const range = places.within(["approval", "when"], span.start, span.end);
      diagnostics.push(places.diagnostic(range, { code, message, hint }));
    });
  }
  return diagnostics;
}
