import type { Diagnostic } from "#model/diagnostic.ts";
import type { BoundRule } from "#policies/compile-rule.ts";
import type { DiagnosticCode } from "#policies/diagnostic-codes.ts";

/** Advice at a key of a rule. */
export function lintFinding(
  { policy, rule }: BoundRule,
  code: DiagnosticCode,
  keys: readonly string[],
  message: string,
  hint: string,
): Diagnostic {
  const range = policy.places.value([...rule.path, ...keys]);
  return policy.places.diagnostic(range, { severity: "warning", code, message, hint });
}
