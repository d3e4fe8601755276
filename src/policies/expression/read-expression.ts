import type { CheckContext } from "#policies/expression/check-context.ts";
import { checkCondition, checkExpression } from "#policies/expression/check-expression.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { ExpressionProblem } from "#policies/expression/expression-problem.ts";
import { parseExpression } from "#policies/expression/parse-expression.ts";

/** Text → checked condition; undefined when anything is wrong, which was reported. */
export function readCondition(text: string, context: CheckContext): Expression | undefined {
  return read(text, context, checkCondition);
}

/** Text → checked expression of any type, such as a key to order by. */
export function readValue(text: string, context: CheckContext): Expression | undefined {
  return read(text, context, checkExpression);
}

function read(
  text: string,
  context: CheckContext,
  check: typeof checkExpression,
): Expression | undefined {
  let failed = false;
  const report = (problem: ExpressionProblem): void => {
    failed ||= problem.code.startsWith("E");
    context.report(problem);
  };
  const syntax = parseExpression(text, report);
  if (syntax === undefined) return undefined;
  const expression = check(syntax, { ...context, report });
  return failed ? undefined : expression;
}
