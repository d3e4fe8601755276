import type { Backend } from "#model/backend.ts";
import type { HeatSettings } from "#model/index-store.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import { noClasses, noVariables } from "#policies/expression/check-context.ts";
import { compileCondition } from "#policies/expression/compile-expression.ts";
import { readsName } from "#policies/expression/expression.ts";
import type { ExpressionProblem } from "#policies/expression/expression-problem.ts";
import { readCondition } from "#policies/expression/read-expression.ts";
import { refuseExpression } from "#policies/refuse-expression.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What a filter is compiled for; a `Moment` with the registry beside it. */
export interface FilterContext {
  readonly registry: AttributeRegistry;
  readonly now: Date;
  readonly heat: HeatSettings;
  readonly backends: readonly Backend[];
}

/**
 * A condition that a person typed (`objects ls --where …`) as boolean SQL over the view
 * `object`, aliased `o`. An object with several names is selected when any of them is. Throws
 * USAGE with the expression and a caret below the first problem.
 */
export function compileFilter(text: string, context: FilterContext): SqlFragment {
  const problems: ExpressionProblem[] = [];
  const expression = readCondition(text, {
    registry: context.registry,
    scope: "object",
    variables: noVariables,
    classes: noClasses,
    report: (problem) => problems.push(problem),
  });
  if (expression === undefined) throw refuseExpression(text, problems);
  const byPath = compileCondition(expression, { ...context, path: trusted("o.path") });
  if (!readsName(expression)) return byPath;
  const byName = compileCondition(expression, { ...context, path: trusted("n.path") });
  // The inner `o` is the object of the name at hand, so that the subquery stands by itself.
  return sql`((o.names <= 1 and ${byPath}) or o.object_id in (
    select n.object_id from name n join object o on o.object_id = n.object_id
    where o.names > 1 and ${byName}))`;
}
