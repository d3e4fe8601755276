import type { FilterContext } from "#policies/compile-filter.ts";
import { noClasses, noVariables } from "#policies/expression/check-context.ts";
import { compileValue } from "#policies/expression/compile-expression.ts";
import type { ExpressionProblem } from "#policies/expression/expression-problem.ts";
import { givesOrder, splitDirection } from "#policies/expression/order-key.ts";
import { readValue } from "#policies/expression/read-expression.ts";
import type { Token } from "#policies/expression/token.ts";
import { tokenize } from "#policies/expression/tokenize.ts";
import { describeType } from "#policies/expression/value-type.ts";
import { refuseExpression } from "#policies/refuse-expression.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * An order that a person typed (`objects ls --sort 'heat desc, size'`) as the keys of an ORDER BY
 * over the view `object`, aliased `o`. What has no value stands last either way, as in rules.
 * Throws USAGE with the key and a caret below the first problem.
 */
export function compileOrder(text: string, context: FilterContext): SqlFragment {
  const keys = splitKeys(text).map((key) => {
    const { text: value, direction } = splitDirection(key);
    return sql`${compileKey(value, context)} ${trusted(direction === "desc" ? "DESC" : "ASC")} NULLS LAST`;
  });
  return joinFragments(keys, ", ");
}

/** The value of an expression for each object. `path` and `name` mean the first name it has. */
function compileKey(text: string, context: FilterContext): SqlFragment {
  const problems: ExpressionProblem[] = [];
  const expression = readValue(text, {
    registry: context.registry,
    scope: "object",
    variables: noVariables,
    classes: noClasses,
    report: (problem) => problems.push(problem),
  });
  if (expression === undefined) throw refuseExpression(text, problems);
  if (!givesOrder(expression.type)) {
    const message = `${describeType(expression.type)} gives no order`;
    const hint = "order by an attribute: heat desc, size";
    throw refuseExpression(text, [{ code: "E0210", span: expression.span, message, hint }]);
  }
  return compileValue(expression, { ...context, path: trusted("o.path") });
}

/** Cuts at the commas that are not within brackets or text. */
function splitKeys(text: string): readonly string[] {
  const problems: ExpressionProblem[] = [];
  const tokens = tokenize(text, (problem) => problems.push(problem));
  if (tokens === undefined) throw refuseExpression(text, problems);
  let depth = 0;
  const cuts = tokens.filter((token) => {
    if (isSymbol(token, "(", "[")) depth += 1;
    if (isSymbol(token, ")", "]")) depth -= 1;
    return depth === 0 && isSymbol(token, ",");
  });
  const starts = [0, ...cuts.map(({ span }) => span.end)];
  return starts.map((start, at) => text.slice(start, cuts[at]?.span.start).trim());
}

function isSymbol(token: Token, ...texts: readonly string[]): boolean {
  return token.kind === "symbol" && texts.includes(token.text);
}
