import { EngineError } from "#model/engine-error.ts";
import type { ReportProblem } from "#policies/expression/expression-problem.ts";
import { spanning } from "#policies/expression/span.ts";
import type {
  ArithmeticOperator,
  ComparisonOperator,
  Syntax,
} from "#policies/expression/syntax.ts";
import { TokenReader } from "#policies/expression/token-reader.ts";
import { tokenize } from "#policies/expression/tokenize.ts";
import { booleanType, nullType } from "#policies/expression/value-type.ts";

/** Bounds what a document can make the engine hold and recurse into. */
const charactersMax = 10_000;
const depthMax = 100;

/**
 * Parses one expression (Pratt: each operator binds as strongly as `power` says). Reports the
 * first syntax error, after which nothing sensible can be said about the rest.
 */
export function parseExpression(source: string, report: ReportProblem): Syntax | undefined {
  if (source.length > charactersMax) {
    const span = { source, start: 0, end: 1 };
    const message = `the expression is longer than ${charactersMax} characters`;
    report({ code: "E0155", span, message, hint: "split it into classes" });
    return undefined;
  }
  const tokens = tokenize(source, report);
  if (tokens === undefined) return undefined;
  const reader = new TokenReader(tokens, report);
  try {
    const syntax = parseAt(reader, 0, 0);
    reader.expectEnd();
    return syntax;
  } catch (thrown) {
    if (thrown instanceof EngineError && reader.failed) return undefined;
    throw thrown;
  }
}

const power = { or: 10, and: 20, not: 30, comparison: 40, sum: 50, product: 60, negate: 70 };
const comparisons: readonly string[] = ["=", "!=", "<", "<=", ">", ">="];
const wordOperators: readonly string[] = ["in", "between", "like", "matches", "has"];

function parseAt(reader: TokenReader, minimum: number, depth: number): Syntax {
  if (depth > depthMax) {
    reader.fail("E0155", `the expression nests deeper than ${depthMax} levels`, "use classes");
  }
  let left = parsePrefix(reader, depth);
  for (;;) {
    const next = parseOperator(reader, left, minimum, depth);
    if (next === undefined) return left;
    left = next;
  }
}

function parseOperator(
  reader: TokenReader,
  left: Syntax,
  minimum: number,
  depth: number,
): Syntax | undefined {
  if (minimum < power.or && reader.peekWord("or")) return parseLogical(reader, left, "or", depth);
  if (minimum < power.and && reader.peekWord("and")) {
    return parseLogical(reader, left, "and", depth);
  }
  const comparison = reader.peekSymbol(comparisons);
  if (minimum < power.comparison && comparison !== undefined) {
    reader.next();
    const right = parseAt(reader, power.comparison, depth + 1);
    refuseChain(reader);
    const operator = comparison as ComparisonOperator;
    return { kind: "comparison", operator, left, right, span: spanning(left.span, right.span) };
  }
  if (minimum < power.comparison && isWordOperator(reader)) {
    return parseWordOperator(reader, left, depth);
  }
  const sum = reader.peekSymbol(["+", "-"]);
  const product = reader.peekSymbol(["*", "/"]);
  const symbol = sum ?? product;
  const strength = sum === undefined ? power.product : power.sum;
  if (symbol === undefined || minimum >= strength) return undefined;
  reader.next();
  const right = parseAt(reader, strength, depth + 1);
  const operator = symbol as ArithmeticOperator;
  return { kind: "arithmetic", operator, left, right, span: spanning(left.span, right.span) };
}

/** `a and b and c` is one node with three operands: explain shows them side by side. */
function parseLogical(
  reader: TokenReader,
  first: Syntax,
  operator: "and" | "or",
  depth: number,
): Syntax {
  const operands = [first];
  while (reader.peekWord(operator)) {
    reader.next();
    operands.push(parseAt(reader, power[operator], depth + 1));
  }
  const last = operands.at(-1) ?? first;
  return { kind: "logical", operator, operands, span: spanning(first.span, last.span) };
}

function isWordOperator(reader: TokenReader): boolean {
  return (
    wordOperators.some((word) => reader.peekWord(word)) ||
    (reader.peekWord("not") && wordOperators.some((word) => reader.peekWord(word, 1)))
  );
}

function parseWordOperator(reader: TokenReader, left: Syntax, depth: number): Syntax {
  const negated = reader.takeWord("not");
  const operator = reader.next();
  const word = operator.kind === "word" ? operator.text : "";
  const operand = (): Syntax => parseAt(reader, power.comparison, depth + 1);
  const positive = ((): Syntax => {
    if (word === "between") {
      const low = operand();
      reader.expectWord("and", '"between" needs two bounds: size between 1MiB and 1GiB');
      const high = operand();
      return { kind: "between", value: left, low, high, span: spanning(left.span, high.span) };
    }
    if (word === "in") return parseIn(reader, left, depth);
    const right = operand();
    const kind = word as "like" | "matches" | "has";
    return { kind, left, right, span: spanning(left.span, right.span) };
  })();
  refuseChain(reader);
  return negated ? { kind: "not", operand: positive, span: positive.span } : positive;
}

function parseIn(reader: TokenReader, value: Syntax, depth: number): Syntax {
  const closing = reader.takeSymbol("[") ? "]" : reader.takeSymbol("(") ? ")" : undefined;
  if (closing === undefined) {
    const set = parseAt(reader, power.comparison, depth + 1);
    return { kind: "member", value, set, span: spanning(value.span, set.span) };
  }
  const items: Syntax[] = [];
  do items.push(parseAt(reader, power.comparison, depth + 1));
  while (reader.takeSymbol(","));
  const end = reader.expectSymbol(closing);
  return { kind: "in", value, items, span: spanning(value.span, end.span) };
}

function refuseChain(reader: TokenReader): void {
  if (reader.peekSymbol(comparisons) === undefined) return;
  const hint = 'write "x between 1 and 9", or two comparisons joined by "and"';
  reader.fail("E0156", "comparisons cannot be chained", hint);
}

function parsePrefix(reader: TokenReader, depth: number): Syntax {
  const token = reader.next();
  const { span } = token;
  if (token.kind === "literal") {
    return { kind: "literal", type: token.type, value: token.value, span };
  }
  if (token.kind === "variable") return { kind: "variable", name: token.name, span };
  if (token.kind === "symbol" && token.text === "(") {
    const inner = parseAt(reader, 0, depth + 1);
    const end = reader.expectSymbol(")");
    return { ...inner, span: spanning(span, end.span) };
  }
  if (token.kind === "symbol" && token.text === "-") {
    const operand = parseAt(reader, power.negate, depth + 1);
    return { kind: "negate", operand, span: spanning(span, operand.span) };
  }
  if (token.kind !== "word") return reader.unexpected(token, "a value or a condition");
  switch (token.text) {
    case "not": {
      const operand = parseAt(reader, power.not, depth + 1);
      return { kind: "not", operand, span: spanning(span, operand.span) };
    }
    case "class": {
      const { name, span: end } = reader.expectName("the name of a class: class scratch");
      return { kind: "class", name, span: spanning(span, end) };
    }
    case "true":
    case "false":
      return { kind: "literal", type: booleanType, value: token.text === "true", span };
    case "null":
      return { kind: "literal", type: nullType, value: null, span };
    case "now":
      return { kind: "now", span };
    default:
      if (reserved.includes(token.text)) return reader.unexpected(token, "a value or a condition");
      return parseName(reader, token.text, span, depth);
  }
}

/** Words that no attribute, class or variable of a bare name may have. */
export const reserved: readonly string[] = [
  "and", "or", "not", "class", "true", "false", "null", "now", ...wordOperators,
]; // prettier-ignore

function parseName(reader: TokenReader, name: string, span: Syntax["span"], depth: number): Syntax {
  if (reader.peekSymbol(["."]) !== undefined) {
    const { key, span: end } = reader.takeKey();
    return { kind: "name", name, key, span: spanning(span, end) };
  }
  if (!reader.takeSymbol("(")) return { kind: "name", name, key: undefined, span };
  const values: Syntax[] = [];
  let end = reader.peekSymbol([")"]) === undefined ? undefined : reader.next();
  while (end === undefined) {
    values.push(parseAt(reader, 0, depth + 1));
    if (!reader.takeSymbol(",")) end = reader.expectSymbol(")");
  }
  return { kind: "call", name, arguments: values, span: spanning(span, end.span) };
}
