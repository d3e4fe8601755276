import type { SqlContext } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { cidBytes } from "#policies/expression/canonical-cid.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import {
  computing,
  type Expression,
  isConstant,
  mayBeUnknown,
} from "#policies/expression/expression.ts";
import { readGlob, textAfter } from "#policies/expression/glob.ts";
import { mirroredOperators } from "#policies/expression/mirrored-operators.ts";
import type { ComparisonOperator, LiteralValue } from "#policies/expression/syntax.ts";
import type { ValueType } from "#policies/expression/value-type.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

/**
 * The condition as SQL over a row `o` of the view `object`; never null: what is unknown at the
 * top does not select (below, under `not` too, it stays unknown as in SQL).
 */
export function compileCondition(expression: Expression, context: SqlContext): SqlFragment {
  if (expression.kind === "class") return compileCondition(expression.body, context);
  if (expression.kind === "logical") {
    // Only the parts that may be unknown are guarded: the database can skip rows by the others.
    const operator = expression.operator === "and" ? " and " : " or ";
    const operands = expression.operands.map((operand) => compileCondition(operand, context));
    return sql`(${joinFragments(operands, operator)})`;
  }
  const value = compileValue(expression, context);
  const known = mayBeUnknown(expression) ? sql`coalesce(${value}, false)` : value;
  const isPattern = expression.kind === "like" || expression.kind === "matches";
  const range = isPattern ? prefixRange(expression, context) : undefined;
  return range === undefined ? known : sql`(${range} and ${known})`;
}

/**
 * The range of texts that begin so: what the database knows of a stretch of rows, the least and the
 * greatest text, tells it which ones it need not read. What is unknown is in no range. Of values that
 * are computed nothing is known: they would only be computed more often.
 */
function prefixRange(
  { kind, left, right }: Of<"like" | "matches">,
  context: SqlContext,
): SqlFragment | undefined {
  if (kind !== "like") return undefined;
  if (left.kind !== "attribute" || objectAttribute(left).isColumn !== true) return undefined;
  const pattern = evaluate(right, context.now, undefined);
  if (typeof pattern !== "string") return undefined;
  const glob = readGlob(pattern);
  const after = glob.kind === "prefix" ? textAfter(glob.text) : undefined;
  if (glob.kind !== "prefix" || after === undefined) return undefined;
  const text = compileValue(left, context);
  return sql`${text} >= ${glob.text}::VARCHAR and ${text} < ${after}::VARCHAR`;
}

/**
 * The value as SQL: bytes and counts BIGINT or DOUBLE, durations DOUBLE milliseconds, points in
 * time TIMESTAMP, conditions BOOLEAN or null, tags VARCHAR[].
 */
export function compileValue(expression: Expression, context: SqlContext): SqlFragment {
  if (isConstant(expression)) {
    return parameter(evaluate(expression, context.now, undefined), expression.type);
  }
  const value = (part: Expression): SqlFragment => compileValue(part, context);
  switch (expression.kind) {
    case "attribute":
      return objectAttribute(expression).sql(context, expression.key);
    case "function":
      return expression.definition.sql(context, expression.arguments);
    case "computation":
      return computing(expression).sql(...expression.arguments.map(value));
    case "class":
      return value(expression.body);
    case "logical": {
      const operator = expression.operator === "and" ? " and " : " or ";
      return sql`(${joinFragments(expression.operands.map(value), operator)})`;
    }
    case "not":
      return sql`(not ${value(expression.operand)})`;
    case "missing":
      return compileMissing(expression.operand, context);
    case "negate":
      return sql`(-${toDouble(value(expression.operand))})`;
    case "comparison":
      return compileComparison(expression, context);
    case "arithmetic":
      return compileArithmetic(expression, context);
    case "between":
      return compileBetween(expression, context);
    case "in": {
      const items = joinFragments(expression.items.map(value), ", ");
      return sql`(${value(expression.value)} in (${items}))`;
    }
    case "like":
    case "matches":
      return compilePattern(expression, context);
    case "has":
      return compileHas(expression, context);
    default:
      return parameter(null, expression.type);
  }
}

type Of<Kind extends Expression["kind"]> = Extract<Expression, { kind: Kind }>;

/** A constant; the cast fixes the type, which the driver would otherwise guess by value. */
function parameter(value: LiteralValue, type: ValueType): SqlFragment {
  if (type.kind === "timestamp" && typeof value === "number") return timestampParameter(value);
  if (type.kind === "cid" && typeof value === "string") return sql`${cidBytes(value)}::BLOB`;
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? sql`${BigInt(value)}::BIGINT` : doubleParameter(value);
  }
  if (typeof value === "string") return sql`${value}::VARCHAR`;
  if (typeof value === "boolean") return trusted(value ? "true" : "false");
  return trusted("null");
}

function objectAttribute(expression: Of<"attribute">) {
  const { definition } = expression;
  if (definition.scope !== "object") throw new TypeError(`${definition.name} has no SQL`);
  return definition;
}

function compileComparison(expression: Of<"comparison">, context: SqlContext): SqlFragment {
  const { operator, left, right } = expression;
  const elapsed =
    compileElapsed(left, operator, right, context) ??
    compileElapsed(right, mirroredOperators[operator], left, context);
  if (elapsed !== undefined) return elapsed;
  const compared =
    compileBound(left, operator, right, context) ??
    compileBound(right, mirroredOperators[operator], left, context);
  if (compared !== undefined) return compared;
  const [one, other] = [compileValue(left, context), compileValue(right, context)];
  return sql`(${one} ${trusted(operator)} ${other})`;
}

/**
 * `idle > 30d` compares the instant it counts from with a constant, so that the database can
 * skip whole ranges of rows by their minimum and maximum.
 */
function compileElapsed(
  side: Expression,
  operator: ComparisonOperator,
  other: Expression,
  context: SqlContext,
): SqlFragment | undefined {
  if (side.kind !== "attribute" || !isConstant(other)) return undefined;
  const since = objectAttribute(side).since?.(context);
  const duration = evaluate(other, context.now, undefined);
  if (since === undefined || typeof duration !== "number") return undefined;
  const instant = timestampParameter(context.now.getTime() - duration);
  return sql`(${since} ${trusted(mirroredOperators[operator])} ${instant})`;
}

/** A word may know a cheaper way to compare with a constant than to compute its value. */
function compileBound(
  side: Expression,
  operator: ComparisonOperator,
  other: Expression,
  context: SqlContext,
): SqlFragment | undefined {
  if ((side.kind !== "function" && side.kind !== "attribute") || !isConstant(other)) {
    return undefined;
  }
  const constant = evaluate(other, context.now, undefined);
  if (typeof constant !== "number") return undefined;
  return side.kind === "function"
    ? side.definition.compare?.(context, side.arguments, operator, constant)
    : objectAttribute(side).compare?.(context, operator, constant);
}

function compileBetween(expression: Of<"between">, context: SqlContext): SqlFragment {
  const { value, low, high } = expression;
  const common = { type: expression.type, span: expression.span, kind: "comparison" } as const;
  const above = compileComparison({ ...common, operator: ">=", left: value, right: low }, context);
  const below = compileComparison({ ...common, operator: "<=", left: value, right: high }, context);
  return sql`(${above} and ${below})`;
}

/** In doubles throughout: no overflow, and a division by zero is unknown, not an error. */
function compileArithmetic(expression: Of<"arithmetic">, context: SqlContext): SqlFragment {
  const { operator, left, right } = expression;
  const one = asNumber(left, context);
  const other = asNumber(right, context);
  if (operator === "/") return sql`(${one} / nullif(${other}, 0))`;
  const number = sql`(${one} ${trusted(operator)} ${other})`;
  return expression.type.kind === "timestamp" ? fromMilliseconds(number) : number;
}

function asNumber(expression: Expression, context: SqlContext): SqlFragment {
  const value = compileValue(expression, context);
  return expression.type.kind === "timestamp"
    ? sql`(epoch_us(${value}) / 1000.0::DOUBLE)`
    : toDouble(value);
}

/** Held within what a TIMESTAMP can say, so that absurd sums compare instead of failing. */
function fromMilliseconds(number: SqlFragment): SqlFragment {
  const held = sql`case when ${number} > 9e15 then 9e15 when ${number} < -9e15 then -9e15
    else ${number} end`;
  return sql`make_timestamp((${held} * 1000)::BIGINT)`;
}

function toDouble(fragment: SqlFragment): SqlFragment {
  return sql`(${fragment})::DOUBLE`;
}

function compileMissing(operand: Expression, context: SqlContext): SqlFragment {
  const empty = operand.kind === "attribute" ? objectAttribute(operand).empty?.() : undefined;
  return empty ?? sql`(${compileValue(operand, context)} is null)`;
}

/** Of sets: whether some member fits. */
function compilePattern(expression: Of<"like" | "matches">, context: SqlContext): SqlFragment {
  const { left, right, kind } = expression;
  const pattern = evaluate(right, context.now, undefined);
  if (typeof pattern !== "string") return trusted("null");
  const fits = (text: SqlFragment) => textFits(text, kind, pattern);
  const some = left.kind === "attribute" ? objectAttribute(left).some?.(fits) : undefined;
  return some ?? fits(compileValue(left, context));
}

function textFits(text: SqlFragment, kind: "like" | "matches", pattern: string): SqlFragment {
  if (kind === "matches") return sql`regexp_matches(${text}, ${pattern}::VARCHAR)`;
  const glob = readGlob(pattern);
  if (glob.kind === "exact") return sql`(${text} = ${glob.text}::VARCHAR)`;
  if (glob.kind === "prefix") return sql`starts_with(${text}, ${glob.text}::VARCHAR)`;
  return sql`regexp_full_match(${text}, ${glob.regex}::VARCHAR)`;
}

function compileHas(expression: Of<"has">, context: SqlContext): SqlFragment {
  const { left, right } = expression;
  const member = compileValue(right, context);
  const isMember = (tag: SqlFragment) => sql`${tag} = ${member}`;
  const some = left.kind === "attribute" ? objectAttribute(left).some?.(isMember) : undefined;
  return some ?? sql`list_contains(${compileValue(left, context)}, ${member})`;
}
