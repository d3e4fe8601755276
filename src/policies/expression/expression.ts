import type {
  AttributeDefinition,
  ObjectFunction,
  CopyAttribute,
  ObjectAttribute,
  ValueFunction,
} from "#policies/attribute-definition.ts";
import type { Span } from "#policies/expression/span.ts";
import type {
  ArithmeticOperator,
  ComparisonOperator,
  LiteralValue,
} from "#policies/expression/syntax.ts";
import type { ValueType } from "#policies/expression/value-type.ts";

/**
 * A checked expression: names are resolved, types fit, variables are replaced by their values.
 * Values are in base units: bytes, milliseconds (also since 1970), US dollars, fractions.
 */
export type Expression = { readonly type: ValueType; readonly span: Span } & (
  | { readonly kind: "literal"; readonly value: LiteralValue }
  | { readonly kind: "now" }
  | {
      readonly kind: "attribute";
      readonly definition: ObjectAttribute | CopyAttribute;
      readonly key: string | undefined;
    }
  | {
      readonly kind: "function";
      readonly definition: ObjectFunction;
      readonly arguments: readonly Expression[];
    }
  | {
      readonly kind: "computation";
      readonly definition: ValueFunction;
      readonly arguments: readonly Expression[];
    }
  | { readonly kind: "class"; readonly name: string; readonly body: Expression }
  | {
      readonly kind: "logical";
      readonly operator: "and" | "or";
      readonly operands: readonly Expression[];
    }
  | { readonly kind: "not"; readonly operand: Expression }
  | { readonly kind: "missing"; readonly operand: Expression }
  | { readonly kind: "negate"; readonly operand: Expression }
  | ({ readonly kind: "comparison"; readonly operator: ComparisonOperator } & TwoSides)
  | ({ readonly kind: "arithmetic"; readonly operator: ArithmeticOperator } & TwoSides)
  | {
      readonly kind: "between";
      readonly value: Expression;
      readonly low: Expression;
      readonly high: Expression;
    }
  | { readonly kind: "in"; readonly value: Expression; readonly items: readonly Expression[] }
  /** The pattern on the right is a constant. */
  | ({ readonly kind: "like" | "matches" } & TwoSides)
  /** A set on the left, a text on the right. */
  | ({ readonly kind: "has" } & TwoSides)
);

interface TwoSides {
  readonly left: Expression;
  readonly right: Expression;
}

/** The parts an expression is made of, in the order of the text. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "now":
    case "attribute":
      return [];
    case "function":
    case "computation":
      return expression.arguments;
    case "class":
      return [expression.body];
    case "logical":
      return expression.operands;
    case "not":
    case "missing":
    case "negate":
      return [expression.operand];
    case "between":
      return [expression.value, expression.low, expression.high];
    case "in":
      return [expression.value, ...expression.items];
    default:
      return [expression.left, expression.right];
  }
}

/** Whether its value is the same for all objects and backends. */
export function isConstant(expression: Expression): boolean {
  if (expression.kind === "attribute" || expression.kind === "function") return false;
  return operandsOf(expression).every(isConstant);
}

/** How a computation is done with values of its type. */
export function computing({
  definition,
  type,
}: Extract<Expression, { kind: "computation" }>): Pick<ValueFunction, "sql" | "value"> {
  if (type.kind !== "ordinal") return definition;
  return definition.amongWords?.(type.words) ?? definition;
}

/** Whether its value may be null: it reads what may be missing, or divides. */
export function mayBeUnknown(expression: Expression): boolean {
  switch (expression.kind) {
    case "literal":
      return expression.value === null;
    case "attribute":
      return expression.definition.nullable;
    case "function":
      return expression.definition.nullable === true;
    case "computation":
      return expression.definition.mayBeUnknown(expression.arguments.map(mayBeUnknown));
    case "missing":
      return false;
    case "arithmetic":
      return expression.operator === "/" || operandsOf(expression).some(mayBeUnknown);
    default:
      return operandsOf(expression).some(mayBeUnknown);
  }
}

/** Every attribute and function an expression reads, those inside of classes included. */
function definitionsIn(expression: Expression): ReadonlySet<AttributeDefinition> {
  const found = new Set<AttributeDefinition>();
  const visit = (part: Expression): void => {
    if ("definition" in part) found.add(part.definition);
    for (const operand of operandsOf(part)) visit(operand);
  };
  visit(expression);
  return found;
}

/** Whether it reads the object's name, of which there may be several. */
export function readsName(expression: Expression): boolean {
  return [...definitionsIn(expression)].some(
    (definition) =>
      definition.kind === "attribute" &&
      definition.scope === "object" &&
      definition.byName === true,
  );
}

/** Whether its value for one object depends on the other objects there are. */
export function readsOthers(expression: Expression): boolean {
  return [...definitionsIn(expression)].some(
    (definition) => definition.scope === "object" && definition.amongObjects === true,
  );
}
