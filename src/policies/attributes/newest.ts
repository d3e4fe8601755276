import type { ObjectFunction } from "#policies/attribute-definition.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { LiteralValue } from "#policies/expression/syntax.ts";
import {
  booleanType,
  bytesType,
  numberType,
  periodType,
  sameType,
  type ValueType,
} from "#policies/expression/value-type.ts";
import { type Series, seriesOf, seriesParameters } from "#policies/series.ts";
import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

/** More would be a list of millions for each series. */
const countMax = 10_000;

const newest: ObjectFunction = {
  kind: "function",
  name: "newest",
  scope: "object",
  type: booleanType,
  nullable: true,
  amongObjects: true,
  changes: "edits",
  summary:
    "Whether it is among the newest of its collection by time of creation: so many of them, or " +
    "those that make up so many bytes; with `day`, `week` and the like the newest of each of the " +
    "last so many days that have any. Another attribute takes the place of the collection " +
    "(`path`, with what came in last under it as the newest; `meta.host`), and a condition says " +
    "which objects count at all; of those that do not, of objects without copies, without the " +
    "attribute, or with several names where names count it is missing. One of a time that nobody " +
    "told (inventories) counts as current, beside the newest.",
  example: 'newest(7, day, meta.host, tags has "nightly")',
  parameters: [
    { name: "count", kind: "constant", types: [numberType, bytesType], refuse: refuseCount },
    { name: "of each", kind: "word", type: periodType, optional: true },
    ...seriesParameters,
  ],
  sql: (context, values) => {
    const series = seriesOf(context, values);
    return sql`(CASE WHEN ${series.key} IS NOT NULL AND ${series.counts}
      THEN NOT ${series.isDated} OR ${isAmongNewest(series, values)} END)`;
  },
};

function refuseCount(count: LiteralValue, type: ValueType): string | undefined {
  if (typeof count !== "number" || count <= 0) return "the newest 0 are none: write 1 or more";
  if (isBytes(type)) return undefined;
  if (count > countMax) return `the newest ${countMax} are the most that can be asked for`;
  return Number.isInteger(count) ? undefined : "objects are counted in whole numbers";
}

function isBytes(type: ValueType): boolean {
  return sameType(type, bytesType);
}

function isAmongNewest(series: Series, values: readonly Expression[]): SqlFragment {
  const [count] = values;
  const amount = count?.kind === "literal" ? Number(count.value) : 1;
  const period = values.find(({ type }) => type.kind === "ordinal");
  if (count !== undefined && isBytes(count.type)) return isWithinBytes(series, amount);
  if (period?.kind === "literal") return isNewestOfPeriod(series, amount, String(period.value));
  const last = sql`(SELECT max(v.created, ${amount}::BIGINT)[${amount}::BIGINT]
    FROM ${series.rows} v WHERE v.key = ${series.key})`;
  return sql`coalesce(${series.came} >= ${last}, true)`;
}

/** The object at which the sum goes beyond is still within: nothing is ever without its newest. */
function isWithinBytes({ rows }: Series, bytes: number): SqlFragment {
  return sql`(o.object_id IN (SELECT object_id FROM (SELECT object_id,
      sum(size) OVER (PARTITION BY key ORDER BY created DESC)
        - sum(size) OVER (PARTITION BY key, created) AS newer
      FROM ${rows}) WHERE newer < ${bytes}::BIGINT))`;
}

function isNewestOfPeriod({ rows, key, came }: Series, count: number, period: string): SqlFragment {
  const spans = sql`(SELECT v.key, date_trunc(${period}::VARCHAR, v.created) AS span,
      max(v.created) AS created FROM ${rows} v GROUP BY ALL)`;
  const last = sql`(SELECT max(s.span, ${count}::BIGINT)[${count}::BIGINT] FROM ${spans} s
    WHERE s.key = ${key})`;
  return sql`(coalesce(date_trunc(${period}::VARCHAR, ${came}) >= ${last}, true)
    AND coalesce(${came} >= (SELECT s.created FROM ${spans} s
      WHERE s.key = ${key} AND s.span = date_trunc(${period}::VARCHAR, ${came})), true))`;
}

export default newest;
