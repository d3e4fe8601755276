import type { CheckContext } from "#policies/expression/check-context.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { describeType } from "#policies/expression/value-type.ts";

/** Reports an expression that is neither true nor false. */
export function requireCondition(expression: Expression, context: CheckContext): void {
  const { type, span } = expression;
  if (type.kind === "boolean" || type.kind === "unknown") return;
  context.report({
    code: "E0206",
    span,
    message: `expected a condition, found ${describeType(type)}`,
    hint: "compare it with something: size > 1MiB, heat < 0.5",
  });
}
