import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { checkCall } from "#policies/expression/check-call.ts";
import { checkClass } from "#policies/expression/check-class.ts";
import { checkName } from "#policies/expression/check-name.ts";
import {
  checkArithmetic,
  checkBetween,
  checkComparison,
  checkHas,
  checkIn,
  checkPattern,
} from "#policies/expression/check-operator.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { requireCondition } from "#policies/expression/require-condition.ts";
import { nameHint } from "#model/name-hint.ts";
import type { Span } from "#policies/expression/span.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import {
  booleanType,
  bytesType,
  describeType,
  sameType,
  timestampType,
  unknownType,
  type ValueType,
} from "#policies/expression/value-type.ts";

/** Resolves names and checks types. Reports every problem and always yields an expression. */
export function checkExpression(syntax: Syntax, context: CheckContext): Expression {
  return checkerOf(context)(syntax);
}

function checkerOf(context: CheckContext): Check {
  const check: Check = (part, expected, scope) =>
    scope === undefined
      ? checkPart(part, expected, context, check)
      : checkerOf({ ...context, scope })(part, expected);
  return check;
}

/** Checks an expression that must be true or false of its subject. */
export function checkCondition(syntax: Syntax, context: CheckContext): Expression {
  const expression = checkExpression(syntax, context);
  requireCondition(expression, context);
  return expression;
}

function checkPart(
  syntax: Syntax,
  expected: ValueType | undefined,
  context: CheckContext,
  check: Check,
): Expression {
  const { span } = syntax;
  switch (syntax.kind) {
    case "literal":
      return { kind: "literal", type: syntax.type, value: syntax.value, span };
    case "now":
      return { kind: "now", type: timestampType, span };
    case "name":
      return checkName(syntax, expected, context);
    case "variable":
      return checkVariable(syntax.name, span, context);
    case "class":
      return checkClass(syntax.name, span, context);
    case "call":
      return checkCall(syntax, expected, context, check);
    case "logical": {
      const operands = syntax.operands.map((operand) => check(operand));
      for (const operand of operands) requireCondition(operand, context);
      return { kind: "logical", operator: syntax.operator, operands, type: booleanType, span };
    }
    case "not": {
      const operand = check(syntax.operand);
      requireCondition(operand, context);
      return { kind: "not", operand, type: booleanType, span };
    }
    case "negate":
      return checkNegate(check(syntax.operand, expected), span, context);
    case "comparison":
      return checkComparison(syntax, context, check);
    case "arithmetic":
      return checkArithmetic(syntax, context, check);
    case "between":
      return checkBetween(syntax, context, check);
    case "in":
      return checkIn(syntax, context, check);
    case "member":
      return checkHas(syntax.set, syntax.value, span, context, check);
    case "has":
      return checkHas(syntax.left, syntax.right, span, context, check);
    case "like":
    case "matches":
      return checkPattern(syntax.kind, syntax, context, check);
    default:
      return syntax satisfies never;
  }
}

function checkNegate(operand: Expression, span: Span, context: CheckContext): Expression {
  if (!["quantity", "percent", "unknown"].includes(operand.type.kind)) {
    const message = `${describeType(operand.type)} cannot be negative`;
    context.report({ code: "E0204", span: operand.span, message });
  }
  if (operand.kind === "literal" && sameType(operand.type, bytesType)) {
    const hint = "nothing is smaller than 0B";
    context.report({ code: "E0204", span, message: "a size is never negative", hint });
  }
  return { kind: "negate", operand, type: operand.type, span };
}

function checkVariable(name: string, span: Span, context: CheckContext): Expression {
  const variable = context.variables.get(name);
  if (variable !== undefined) {
    return { kind: "literal", type: variable.type, value: variable.value, span };
  }
  context.report({
    code: "E0202",
    span,
    message: `there is no variable $${name}`,
    hint: nameHint(name, context.variables.names, "variables under vars:"),
  });
  return { kind: "literal", type: unknownType, value: null, span };
}
