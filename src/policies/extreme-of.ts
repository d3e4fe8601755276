import type { ValueFunction } from "#policies/attribute-definition.ts";
import { sql, trusted } from "#policies/sql-fragment.ts";

/** What `min` and `max` have in common; a missing value makes both missing, unlike in SQL. */
export function extremeOf(
  name: "least" | "greatest",
): Pick<ValueFunction, "parameters" | "mayBeUnknown" | "sql" | "value"> {
  return {
    parameters: [
      { name: "one", type: "same" },
      { name: "other", type: "same" },
    ],
    mayBeUnknown: (values) => values.includes(true),
    sql: (one = sql`NULL`, other = sql`NULL`) =>
      sql`(CASE WHEN ${one} IS NOT NULL AND ${other} IS NOT NULL
        THEN ${trusted(name)}(${one}, ${other}) END)`,
    value: (one = null, other = null) => {
      if (one === null || other === null) return null;
      return one < other === (name === "least") ? one : other;
    },
  };
}
