import { evaluate } from "#policies/expression/evaluate.ts";
import { type Expression, isConstant } from "#policies/expression/expression.ts";
import { mirroredOperators } from "#policies/expression/mirrored-operators.ts";
import { textOf } from "#policies/expression/span.ts";
import type { ComparisonOperator } from "#policies/expression/syntax.ts";

/** Values that an attribute may have, for a condition to be true. */
export interface Interval {
  readonly min: number;
  readonly max: number;
  readonly minOpen: boolean;
  readonly maxOpen: boolean;
}

/**
 * What a condition requires of single attributes: only what stands in its topmost conjunction
 * is looked at, so that every bound is necessary (there may be more that is not seen here).
 */
export function valueBounds(condition: Expression, now: Date): ReadonlyMap<string, Interval> {
  const bounds = new Map<string, Interval>();
  for (const part of conjuncts(condition)) {
    for (const { key, interval } of comparisonBounds(part, now)) {
      const known = bounds.get(key.name) ?? natural(key.neverNegative);
      bounds.set(key.name, intersect(known, interval));
    }
  }
  return bounds;
}

/** The conditions that must all hold, classes looked through. */
export function conjuncts(condition: Expression): readonly Expression[] {
  if (condition.kind === "class") return conjuncts(condition.body);
  if (condition.kind === "logical" && condition.operator === "and") {
    return condition.operands.flatMap(conjuncts);
  }
  return [condition];
}

export function isEmpty({ min, max, minOpen, maxOpen }: Interval): boolean {
  return min > max || (min === max && (minOpen || maxOpen));
}

/** Whether all values of one lie within the other. */
export function isWithin(inner: Interval, outer: Interval): boolean {
  const above =
    inner.min > outer.min || (inner.min === outer.min && (inner.minOpen || !outer.minOpen));
  const below =
    inner.max < outer.max || (inner.max === outer.max && (inner.maxOpen || !outer.maxOpen));
  return above && below;
}

interface BoundKey {
  readonly name: string;
  readonly neverNegative: boolean;
}

/** The bounds that one comparison sets, if it compares an attribute with a constant. */
export function comparisonBounds(
  part: Expression,
  now: Date,
): readonly { readonly key: BoundKey; readonly interval: Interval }[] {
  if (part.kind === "not" && part.operand.kind === "comparison") {
    // What is unknown selects neither way, so the opposite bound is necessary.
    const operator = opposites[part.operand.operator];
    return comparisonBounds({ ...part.operand, operator }, now);
  }
  if (part.kind === "between") {
    const common = { kind: "comparison", type: part.type, span: part.span } as const;
    const { value, low, high } = part;
    return [
      ...comparisonBounds({ ...common, operator: ">=", left: value, right: low }, now),
      ...comparisonBounds({ ...common, operator: "<=", left: value, right: high }, now),
    ];
  }
  if (part.kind !== "comparison") return [];
  const [left, right] = [boundKey(part.left), boundKey(part.right)];
  if (left !== undefined && isConstant(part.right)) {
    return toInterval(left, part.operator, evaluate(part.right, now, undefined));
  }
  if (right !== undefined && isConstant(part.left)) {
    return toInterval(right, mirroredOperators[part.operator], evaluate(part.left, now, undefined));
  }
  return [];
}

function boundKey(side: Expression): BoundKey | undefined {
  if (side.kind !== "attribute" && side.kind !== "function") return undefined;
  const { type } = side;
  const neverNegative = type.kind === "quantity" && type.dimension.time === 0;
  const name = side.kind === "attribute" ? side.definition.name : callName(side);
  return { name, neverNegative };
}

function callName(call: Extract<Expression, { kind: "function" }>): string {
  const values = call.arguments.map((argument) =>
    argument.kind === "literal" ? String(argument.value) : textOf(argument.span),
  );
  return `${call.definition.name}(${values.join(", ").replaceAll(/\s+/g, " ")})`;
}

function toInterval(key: BoundKey, operator: ComparisonOperator, value: unknown) {
  if (typeof value !== "number") return [];
  const all = { min: -Infinity, max: Infinity, minOpen: false, maxOpen: false };
  switch (operator) {
    case "<":
      return [{ key, interval: { ...all, max: value, maxOpen: true } }];
    case "<=":
      return [{ key, interval: { ...all, max: value } }];
    case ">":
      return [{ key, interval: { ...all, min: value, minOpen: true } }];
    case ">=":
      return [{ key, interval: { ...all, min: value } }];
    case "=":
      return [{ key, interval: { ...all, min: value, max: value } }];
    default:
      return [];
  }
}

function natural(neverNegative: boolean): Interval {
  return { min: neverNegative ? 0 : -Infinity, max: Infinity, minOpen: false, maxOpen: false };
}

function intersect(a: Interval, b: Interval): Interval {
  const lower = a.min > b.min || (a.min === b.min && a.minOpen) ? a : b;
  const upper = a.max < b.max || (a.max === b.max && a.maxOpen) ? a : b;
  return { min: lower.min, minOpen: lower.minOpen, max: upper.max, maxOpen: upper.maxOpen };
}

const opposites: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "=": "!=",
  "!=": "=",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};
