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
    "newest. `superseded(path)` is about versions under one name, of which the newest is what came " +
    "in last under it, be it old content that came back; it is missing for what has several " +
    "names, or came in at a time that nobody told (inventories). Any other attribute and a condition as with `newest`.",
  example: "superseded(path) > 30d",
  parameters: seriesParameters,
  sql: (context, values) => {
    const { events, came, key, counts, isDated } = seriesOf(context, values);
    const successors = sql`(SELECT key, came,
        lag(came) OVER (PARTITION BY key ORDER BY came DESC) AS successor
      FROM (SELECT DISTINCT v.key, v.came FROM ${events} v))`;
    const successor = sql`(SELECT s.successor FROM ${successors} s
      WHERE s.key = ${key} AND s.came = ${came})`;
    return sql`(CASE WHEN ${counts} AND ${isDated} THEN ${elapsedSince(successor, context.now)} END)`;
  },
};

export default superseded;
