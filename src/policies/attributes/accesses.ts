import type { ObjectFunction, SqlContext } from "#policies/attribute-definition.ts";
import { evaluate } from "#policies/expression/evaluate.ts";
import type { Expression } from "#policies/expression/expression.ts";
import { durationType, numberType } from "#policies/expression/value-type.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";
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
  parameters: [{ name: "window", kind: "constant", type: durationType, refuse: refuseShort }],
  sql: countReads,
};

function refuseShort(value: unknown): string | undefined {
  return Number(value) < dayMs
    ? "reads are counted by the day: the window is 1d or more"
    : undefined;
}

function countReads({ now }: SqlContext, [window]: readonly Expression[]): SqlFragment {
  const length = window === undefined ? 0 : Number(evaluate(window, now, undefined));
  const from = timestampParameter(now.getTime() - length);
  const until = timestampParameter(now.getTime());
  return sql`coalesce((select sum(a.reads) from access_day a where a.object_id = o.object_id
    and a.day >= ${from}::DATE and a.day <= ${until}::DATE), 0)::BIGINT`;
}

export default accesses;
