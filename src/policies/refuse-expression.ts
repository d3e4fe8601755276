import { EngineError } from "#model/engine-error.ts";
import type { ExpressionProblem } from "#policies/expression/expression-problem.ts";

/** What a person is told of an expression they typed: the first problem, with a caret below it. */
export function refuseExpression(
  text: string,
  problems: readonly ExpressionProblem[],
): EngineError {
  const [first] = problems;
  if (first === undefined) return new EngineError("INTERNAL", `cannot read "${text}"`);
  const { code, message, hint, span } = first;
  const line = text.replaceAll(/\s/g, " ");
  const caret = " ".repeat(span.start) + "^".repeat(Math.max(1, span.end - span.start));
  return new EngineError("USAGE", `${message} [${code}]\n  ${line}\n  ${caret}`, {
    ...(hint === undefined ? {} : { hint }),
    details: {
      problems: problems.map(({ code, message, span: { start, end } }) => ({
        code,
        message,
        start,
        end,
      })),
    },
  });
}
