import type { ValueFunction } from "#policies/attribute-definition.ts";
import { booleanType } from "#policies/expression/value-type.ts";
import { sql } from "#policies/sql-fragment.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "if",
  scope: "value",
  changes: "edits",
  summary:
    "The first value where the condition is true, else (also where it is unknown) the second.",
  example: 'idle > if(owner = "ana", 90d, 30d)',
  parameters: [
    { name: "condition", type: booleanType },
    { name: "value", type: "same" },
    { name: "otherwise", type: "same" },
  ],
  mayBeUnknown: ([, value = true, otherwise = true]) => value || otherwise,
  sql: (condition = sql`NULL`, value = sql`NULL`, otherwise = sql`NULL`) =>
    sql`(CASE WHEN ${condition} THEN ${value} ELSE ${otherwise} END)`,
  value: (condition = null, value = null, otherwise = null) =>
    condition === true ? value : otherwise,
};

export default computation;
