import type { ArithmeticOperator } from "#policies/expression/syntax.ts";
import {
  type Dimension,
  durationType,
  numberType,
  quantity,
  sameType,
  timestampType,
  unknownType,
  type ValueType,
} from "#policies/expression/value-type.ts";

/** The type of `left operator right`, or undefined when that means nothing. */
export function arithmeticType(
  operator: ArithmeticOperator,
  left: ValueType,
  right: ValueType,
): ValueType | undefined {
  if (left.kind === "unknown" || right.kind === "unknown") return unknownType;
  return operator === "+" || operator === "-"
    ? sumType(operator, left, right)
    : productType(operator, left, right);
}

function sumType(operator: "+" | "-", left: ValueType, right: ValueType): ValueType | undefined {
  if (left.kind === "timestamp" && right.kind === "timestamp") {
    return operator === "-" ? durationType : undefined;
  }
  if (left.kind === "timestamp" && sameType(right, durationType)) return timestampType;
  if (right.kind === "timestamp" && sameType(left, durationType)) {
    return operator === "+" ? timestampType : undefined;
  }
  const addable = left.kind === "quantity" || left.kind === "percent";
  return addable && sameType(left, right) ? left : undefined;
}

function productType(
  operator: "*" | "/",
  left: ValueType,
  right: ValueType,
): ValueType | undefined {
  if (left.kind === "percent" && right.kind === "percent") {
    return operator === "/" ? numberType : left;
  }
  if (left.kind === "percent" && right.kind === "quantity") {
    if (sameType(right, numberType)) return left;
    return operator === "*" ? right : undefined;
  }
  if (left.kind === "quantity" && right.kind === "percent") {
    return sameType(left, numberType) && operator === "*" ? right : left;
  }
  if (left.kind !== "quantity" || right.kind !== "quantity") return undefined;
  const sign = operator === "*" ? 1 : -1;
  return quantity(combine(left.dimension, right.dimension, sign));
}

function combine(left: Dimension, right: Dimension, sign: 1 | -1): Dimension {
  return {
    bytes: left.bytes + sign * right.bytes,
    time: left.time + sign * right.time,
    money: left.money + sign * right.money,
  };
}
