import { EngineError } from "#model/engine-error.ts";
import type { CopySubject } from "#policies/attribute-definition.ts";
import { compareNumbers } from "#policies/expression/compare-numbers.ts";
import { computing, type Expression } from "#policies/expression/expression.ts";
import { readGlob } from "#policies/expression/glob.ts";
import { regexFinds } from "#policies/expression/regex-syntax.ts";
import type {
  ArithmeticOperator,
  ComparisonOperator,
  LiteralValue,
} from "#policies/expression/syntax.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/**
 * The value of an expression that reads no object: constants, and conditions over backends and
 * copies. Null is "unknown", with the same three-valued logic as the SQL of the other side.
 */
export function evaluate(
  expression: Expression,
  now: Date,
  subject: CopySubject | undefined,
): LiteralValue {
  const value = (part: Expression): LiteralValue => evaluate(part, now, subject);
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "now":
      return now.getTime();
    case "attribute": {
      const { definition, key } = expression;
      if (definition.scope === "object" || subject === undefined) return unavailable(definition);
      return definition.value(subject, key);
    }
    case "function":
      return unavailable(expression.definition);
    case "computation":
      return computing(expression).value(...expression.arguments.map(value));
    case "class":
      return value(expression.body);
    case "logical":
      return logical(expression.operator, expression.operands.map(value));
    case "not":
      return negated(value(expression.operand));
    case "missing":
      return value(expression.operand) === null;
    case "negate":
      return arithmetic("-", 0, value(expression.operand));
    case "comparison": {
      const { operator, left, right } = expression;
      return compare(operator, value(left), value(right), left.type);
    }
    case "arithmetic":
      return arithmetic(expression.operator, value(expression.left), value(expression.right));
    case "between": {
      const { type } = expression.value;
      const middle = value(expression.value);
      const low = compare(">=", middle, value(expression.low), type);
      return logical("and", [low, compare("<=", middle, value(expression.high), type)]);
    }
    case "in": {
      const left = value(expression.value);
      const { type } = expression.value;
      return logical(
        "or",
        expression.items.map((item) => compare("=", left, value(item), type)),
      );
    }
    case "like":
    case "matches":
      return textMatches(expression.kind, value(expression.left), value(expression.right));
    case "has":
      return unavailable({ name: "tags" });
    default:
      return expression satisfies never;
  }
}

/** Ends where `and` is false or `or` true, whatever else is unknown. */
function logical(operator: "and" | "or", values: readonly LiteralValue[]): LiteralValue {
  const decisive = operator === "or";
  if (values.includes(decisive)) return decisive;
  return values.includes(null) ? null : !decisive;
}

function negated(value: LiteralValue): LiteralValue {
  return value === null ? null : value !== true;
}

function compare(
  operator: ComparisonOperator,
  left: LiteralValue,
  right: LiteralValue,
  type: ValueType,
): LiteralValue {
  if (left === null || right === null) return null;
  return compareNumbers(rank(left, type), operator, rank(right, type));
}

function rank(value: Exclude<LiteralValue, null>, type: ValueType): number | string | boolean {
  return type.kind === "ordinal" ? type.words.indexOf(String(value)) : value;
}

function arithmetic(
  operator: ArithmeticOperator,
  left: LiteralValue,
  right: LiteralValue,
): LiteralValue {
  if (typeof left !== "number" || typeof right !== "number") return null;
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? null : left / right;
    default:
      return operator satisfies never;
  }
}

function textMatches(
  kind: "like" | "matches",
  text: LiteralValue,
  pattern: LiteralValue,
): LiteralValue {
  if (typeof text !== "string" || typeof pattern !== "string") return null;
  if (kind === "matches") return regexFinds(pattern, text);
  const glob = readGlob(pattern);
  if (glob.kind === "exact") return text === glob.text;
  if (glob.kind === "prefix") return text.startsWith(glob.text);
  return regexFinds(`^(?:${glob.regex})$`.replace("(?:(?s)", "(?s:"), text);
}

function unavailable({ name }: { readonly name: string }): never {
  throw new EngineError("INTERNAL", `"${name}" has no value outside of a query over objects`);
}
