import { arithmeticType } from "#policies/expression/arithmetic-type.ts";
import { adopt, comparable } from "#policies/expression/adopt-type.ts";
import type { Check, CheckContext } from "#policies/expression/check-context.ts";
import { standsAlone } from "#policies/expression/check-name.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { globProblem } from "#policies/expression/glob.ts";
import { regexProblem } from "#policies/expression/regex-syntax.ts";
import type { Span } from "#policies/expression/span.ts";
import type { Syntax } from "#policies/expression/syntax.ts";
import { reportMismatch, reportUnordered } from "#policies/expression/type-mismatch.ts";
import { booleanType, describeType, isOrdered } from "#policies/expression/value-type.ts";

type Of<Kind extends Syntax["kind"]> = Extract<Syntax, { kind: Kind }>;

/** `=` and `!=` for all types, order for those that have one; `= null` asks whether missing. */
export function checkComparison(
  syntax: Of<"comparison">,
  context: CheckContext,
  check: Check,
): Expression {
  const { operator, span } = syntax;
  const [left, right] = checkPair(syntax.left, syntax.right, context, check);
  const against = right.type.kind === "null" ? left : left.type.kind === "null" ? right : undefined;
  if (against !== undefined) return checkNull(operator, against, span, context);
  const isEquality = operator === "=" || operator === "!=";
  if (!comparable(left.type, right.type)) reportMismatch(left, right, span, context.report);
  else if (left.type.kind === "tags") reportUnordered(left, operator, span, context.report);
  else if (!isEquality && !isOrdered(left.type)) {
    reportUnordered(left, operator, span, context.report);
  }
  return { kind: "comparison", operator, left, right, type: booleanType, span };
}

function checkNull(
  operator: string,
  operand: Expression,
  span: Span,
  context: CheckContext,
): Expression {
  const missing: Expression = { kind: "missing", operand, type: booleanType, span };
  if (operator === "=") return missing;
  if (operator === "!=") return { kind: "not", operand: missing, type: booleanType, span };
  const hint = "null can be asked for with missing(x), = null or != null only";
  context.report({ code: "E0204", span, message: `"${operator}" has no meaning for null`, hint });
  return missing;
}

export function checkArithmetic(
  syntax: Of<"arithmetic">,
  context: CheckContext,
  check: Check,
): Expression {
  const { operator, span } = syntax;
  const left = check(syntax.left);
  const right = check(syntax.right);
  const type = arithmeticType(operator, left.type, right.type);
  if (type === undefined) reportMismatch(left, right, span, context.report, operator);
  return { kind: "arithmetic", operator, left, right, type: type ?? { kind: "unknown" }, span };
}

export function checkBetween(
  syntax: Of<"between">,
  context: CheckContext,
  check: Check,
): Expression {
  const [value, low] = checkPair(syntax.value, syntax.low, context, check);
  const high = adopt(check(syntax.high, value.type), value.type, context);
  const { span } = syntax;
  for (const bound of [low, high]) {
    if (!comparable(value.type, bound.type)) reportMismatch(value, bound, span, context.report);
  }
  if (!isOrdered(value.type)) reportUnordered(value, "between", span, context.report);
  return { kind: "between", value, low, high, type: booleanType, span };
}

export function checkIn(syntax: Of<"in">, context: CheckContext, check: Check): Expression {
  const value = check(syntax.value);
  const { span } = syntax;
  const items = syntax.items.map((item) => adopt(check(item, value.type), value.type, context));
  for (const item of items) {
    if (item.type.kind === "null" || !comparable(value.type, item.type)) {
      reportMismatch(value, item, span, context.report);
    }
  }
  if (value.type.kind === "tags") reportUnordered(value, "in", span, context.report);
  return { kind: "in", value, items, type: booleanType, span };
}

/** `tags has "x"`; also the meaning of `"x" in tags`. */
export function checkHas(
  set: Syntax,
  member: Syntax,
  span: Span,
  context: CheckContext,
  check: Check,
): Expression {
  const left = check(set);
  const right = check(member, { kind: "text" });
  if (left.type.kind !== "tags" && left.type.kind !== "unknown") {
    const message = `"has" asks for one of several values; ${describeType(left.type)} is one value`;
    const hint = 'write x = "…", or x in ["…", "…"]';
    context.report({ code: "E0204", span: left.span, message, hint });
  }
  if (right.type.kind !== "text" && right.type.kind !== "unknown") {
    const message = `a tag is a text, found ${describeType(right.type)}`;
    context.report({ code: "E0204", span: right.span, message, hint: 'tags has "tmp"' });
  }
  return { kind: "has", left, right, type: booleanType, span };
}

export function checkPattern(
  kind: "like" | "matches",
  syntax: Of<"like" | "matches" | "has">,
  context: CheckContext,
  check: Check,
): Expression {
  const left = check(syntax.left);
  const right = check(syntax.right, { kind: "text" });
  const { span } = syntax;
  for (const side of [left, right]) {
    if (side.type.kind === "text" || side.type.kind === "unknown") continue;
    // Of several texts, some must fit.
    if (side === left && side.type.kind === "tags") continue;
    const message = `"${kind}" compares text with a pattern, found ${describeType(side.type)}`;
    context.report({ code: "E0204", span: side.span, message });
  }
  if (kind === "matches" && context.scope !== "object") {
    const message = '"matches" is for attributes of objects';
    context.report({ code: "E0204", span, message, hint: 'write backend like "s3-*"' });
  }
  if (right.kind === "literal" && typeof right.value === "string") {
    const problem = kind === "like" ? globProblem(right.value) : regexProblem(right.value);
    if (problem !== undefined) {
      const { message, hint } = problem;
      context.report({ code: "E0208", span: right.span, message, hint });
    }
    if (kind === "like") lintSqlPattern(right.value, right.span, context);
    if (kind === "like") lintPathPattern(left, right.value, right.span, context);
  } else if (right.type.kind === "text") {
    const message = "a pattern must be written out, so that it can be checked";
    context.report({ code: "E0208", span: right.span, message, hint: "use a text in quotes" });
  }
  return { kind, left, right, type: booleanType, span };
}

function lintSqlPattern(pattern: string, span: Span, context: CheckContext): void {
  if (!pattern.includes("%") || /[*?[{]/.test(pattern)) return;
  const message = `"%" stands for itself in "${pattern}"`;
  const hint = `write ${JSON.stringify(pattern.replaceAll("%", "*"))}; ** also crosses folders`;
  context.report({ code: "W0420", span, message, hint });
}

function lintPathPattern(
  left: Expression,
  pattern: string,
  span: Span,
  context: CheckContext,
): void {
  const isPath = left.kind === "attribute" && left.definition.name === "path";
  if (!isPath || /^(\/|\*\*|\*\/|[?[{\\])/.test(pattern)) return;
  const message = `no path matches "${pattern}": paths begin with "/"`;
  const hint = `write "/${pattern}", or "**/${pattern}" for any folder`;
  context.report({ code: "W0408", span, message, hint });
}

/** Checks first the side that has a meaning of its own; its type explains the other one. */
function checkPair(
  left: Syntax,
  right: Syntax,
  context: CheckContext,
  check: Check,
): readonly [Expression, Expression] {
  if (!standsAlone(left, context) && standsAlone(right, context)) {
    const known = check(right);
    return [adopt(check(left, known.type), known.type, context), known];
  }
  const first = check(left);
  const second = adopt(check(right, first.type), first.type, context);
  return [adopt(first, second.type, context), second];
}
