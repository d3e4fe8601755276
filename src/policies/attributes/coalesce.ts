import type { ValueFunction } from "#policies/attribute-definition.ts";
import { sql } from "#policies/sql-fragment.ts";

const computation: ValueFunction = {
  kind: "computation",
  name: "coalesce",
  scope: "value",
  changes: "edits",
  summary: "The first value, or the second where the first is missing.",
  example: 'coalesce(owner, "nobody") != "ana"',
  parameters: [
    { name: "value", type: "same" },
    { name: "otherwise", type: "same" },
  ],
  mayBeUnknown: ([value = true, otherwise = true]) => value && otherwise,
  sql: (value = sql`NULL`, otherwise = sql`NULL`) => sql`coalesce(${value}, ${otherwise})`,
  value: (value = null, otherwise = null) => value ?? otherwise,
};

export default computation;
