import type { ComparisonOperator } from "#policies/expression/syntax.ts";

/** `left operator right` for values that JavaScript orders as the language does. */
export function compareNumbers<Value extends number | string | boolean>(
  left: Value,
  operator: ComparisonOperator,
  right: Value,
): boolean {
  switch (operator) {
    case "=":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return operator satisfies never;
  }
}
