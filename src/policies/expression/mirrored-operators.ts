import type { ComparisonOperator } from "#policies/expression/syntax.ts";

/** What a comparison says when its sides change places: `a < b` is `b > a`. */
export const mirroredOperators: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "=": "=",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};
