import type { ObjectFunction } from "#policies/attribute-definition.ts";
import { elapsedSince } from "#policies/elapsed-since.ts";
import { durationType } from "#policies/expression/value-type.ts";
import { seriesOf, seriesParameters } from "#policies/series.ts";
import { sql } from "#policies/sql-fragment.ts";

const superseded: ObjectFunction = {
  kind: "function",
  name: "superseded",
  scope: "object",
  type: durationType,
  nullable: true,
  amongObjects: true,
  changes: "time",
  summary:
    "Time since the next newer object of its collection was created; missing while it is the " +
    "newest. `superseded(path)` is about versions under one name, any other attribute and a " +
    "condition as with `newest`.",
  example: "superseded(path) > 30d",
  parameters: seriesParameters,
  sql: (context, values) => {
    const { rows, key, counts } = seriesOf(context, values);
    const successors = sql`(SELECT key, created,
        lag(created) OVER (PARTITION BY key ORDER BY created DESC) AS successor
      FROM (SELECT DISTINCT v.key, v.created FROM ${rows} v))`;
    const successor = sql`(SELECT s.successor FROM ${successors} s
      WHERE s.key = ${key} AND s.created = o.created)`;
    return sql`(CASE WHEN ${counts} THEN ${elapsedSince(successor, context.now)} END)`;
  },
};

export default superseded;
