import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { mirroredOperators } from "#policies/expression/mirrored-operators.ts";
import type { ComparisonOperator } from "#policies/expression/syntax.ts";

/** What a test asks about, and the operator and other side of a comparison, subject first. */
export interface TestSubject {
  readonly subject: Expression;
  readonly operator?: ComparisonOperator;
  readonly other?: Expression;
}

/** Turns `0.5 > heat` round, so that the thing asked about stands first. */
export function subjectOf(expression: Expression): TestSubject {
  switch (expression.kind) {
    case "comparison": {
      const { left, right, operator } = expression;
      return isConstant(left)
        ? { subject: right, operator: mirroredOperators[operator], other: left }
        : { subject: left, operator, other: right };
    }
    case "between":
    case "in":
      return { subject: expression.value };
    case "like":
    case "matches":
    case "has":
      return { subject: expression.left };
    case "missing":
      return { subject: expression.operand };
    default:
      return { subject: expression };
  }
}
