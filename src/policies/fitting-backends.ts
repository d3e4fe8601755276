import type { Backend } from "#model/backend.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import type { Expression } from "#policies/expression/expression.ts";

/** The backends for which a condition is true. */
export function fittingBackends(
  condition: Expression | undefined,
  { backends, now }: { readonly backends: readonly Backend[]; readonly now: Date },
): readonly Backend[] {
  if (condition === undefined) return [];
  return backends.filter(
    (backend) => evaluate(condition, now, { backend, confidence: "claimed" }) === true,
  );
}
