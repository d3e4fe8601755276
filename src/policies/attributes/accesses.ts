import type { ObjectFunction, SqlContext } from "#policies/attribute-definition.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { compareNumbers } from "#policies/expression/compare-numbers.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { ComparisonOperator } from "#policies/expression/syntax.ts";
import { durationType, numberType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";
import { timestampParameter } from "#policies/timestamp-parameter.ts";

const dayMs = 86_400_000;

const accesses: ObjectFunction = {
  kind: "function",
  name: "accesses",
  scope: "object",
  type: numberType,
  changes: "time",
  summary:
    "Reads within a window up to now. Counted by UTC day, the day on which the window begins " +
    "included, so that no read within the window is ever overlooked.",
  example: "accesses(30d) >= 3",
  parameters: [{ name: "window", kind: "constant", types: [durationType], refuse: refuseShort }],
  sql: countReads,
  compare: compareReads,
};

function refuseShort(value: unknown): string | undefined {
  return Number(value) < dayMs
    ? "reads are counted by the day: the window is 1d or more"
    : undefined;
}

function countReads(context: SqlContext, values: readonly Expression[]): SqlFragment {
  return sql`coalesce((select sum(a.reads) from access_day a where a.object_id = o.object_id
    and ${withinWindow(context, values)}), 0)::BIGINT`;
}

/** Sums once over all objects: many times faster than asking for each object by itself. */
function compareReads(
  context: SqlContext,
  values: readonly Expression[],
  operator: ComparisonOperator,
  constant: number,
): SqlFragment {
  const holds = sql`sum(a.reads) ${trusted(operator)} ${doubleParameter(constant)}`;
  const includesNone = compareNumbers(0, operator, constant);
  const sums = sql`select a.object_id from access_day a where ${withinWindow(context, values)}
    group by a.object_id having ${includesNone ? sql`not (${holds})` : holds}`;
  return sql`(o.object_id ${trusted(includesNone ? "not in" : "in")} (${sums}))`;
}

function withinWindow({ now }: SqlContext, [window]: readonly Expression[]): SqlFragment {
  const length = window === undefined ? 0 : Number(evaluate(window, now, undefined));
  const from = timestampParameter(now.getTime() - length);
  const until = timestampParameter(now.getTime());
  return sql`a.day >= ${from}::DATE and a.day <= ${until}::DATE`;
}

export default accesses;
