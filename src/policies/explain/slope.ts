import { type Expression, operandsOf } from "#policies/expression/expression.ts";
import { durationType, sameType } from "#policies/expression/value-type.ts";

/**
 * By how much a value grows in a millisecond when nobody touches the object: 1 for `now`, `idle`
 * and `superseded(path)`, 0 for what time alone does not change. Undefined where it is no line.
 */
export function slopeOf(expression: Expression): number | undefined {
  switch (expression.kind) {
    case "literal":
      return 0;
    case "now":
      return 1;
    case "attribute": {
      const { definition } = expression;
      if (definition.changes !== "time") return 0;
      if (definition.name === "expires_in") return -1;
      return "since" in definition ? 1 : undefined;
    }
    case "function": {
      const { definition } = expression;
      if (definition.changes !== "time") return 0;
      // A duration since something happened; what is counted over a time is none.
      return sameType(definition.type, durationType) ? 1 : undefined;
    }
    case "negate": {
      const slope = slopeOf(expression.operand);
      return slope === undefined ? undefined : 0 - slope;
    }
    case "arithmetic": {
      const [left, right] = [slopeOf(expression.left), slopeOf(expression.right)];
      if (left === undefined || right === undefined) return undefined;
      if (expression.operator === "+") return left + right;
      if (expression.operator === "-") return left - right;
      return left === 0 && right === 0 ? 0 : undefined;
    }
    case "missing":
      return 0;
    default:
      return operandsOf(expression).every((operand) => slopeOf(operand) === 0) ? 0 : undefined;
  }
}

/** Whether a read of the object would change it. */
export function changesByReads(expression: Expression): boolean {
  if ("definition" in expression) {
    const { changes, name } = expression.definition;
    if (changes === "reads" || name === "heat" || name === "idle") return true;
  }
  return operandsOf(expression).some(changesByReads);
}
