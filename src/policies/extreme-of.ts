import type { ValueFunction } from "#policies/attribute-definition.ts";
import type { LiteralValue } from "#policies/expression/syntax.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

type Extreme = "parameters" | "mayBeUnknown" | "sql" | "value" | "amongWords";

/** What `min` and `max` have in common; a missing value makes both missing, unlike in SQL. */
export function extremeOf(name: "least" | "greatest"): Pick<ValueFunction, Extreme> {
  return {
    parameters: [
      { name: "one", type: "same" },
      { name: "other", type: "same" },
    ],
    mayBeUnknown: (values) => values.includes(true),
    sql: (one = sql`NULL`, other = sql`NULL`) =>
      sql`(CASE WHEN ${one} IS NOT NULL AND ${other} IS NOT NULL
        THEN ${trusted(name)}(${one}, ${other}) END)`,
    value: (one = null, other = null) => extreme(name, one, other, (value) => value),
    amongWords: (words) => {
      const list = joinFragments(
        words.map((word) => sql`${word}::VARCHAR`),
        ", ",
      );
      const rank = (value: SqlFragment) => sql`list_position([${list}], ${value})`;
      return {
        sql: (one = sql`NULL`, other = sql`NULL`) =>
          sql`(CASE WHEN ${one} IS NOT NULL AND ${other} IS NOT NULL
            THEN ([${list}])[${trusted(name)}(${rank(one)}, ${rank(other)})] END)`,
        value: (one = null, other = null) =>
          extreme(name, one, other, (value) => words.indexOf(String(value))),
      };
    },
  };
}

type Known = Exclude<LiteralValue, null>;

function extreme(
  name: "least" | "greatest",
  one: LiteralValue,
  other: LiteralValue,
  rank: (value: Known) => Known,
): LiteralValue {
  if (one === null || other === null) return null;
  return rank(one) < rank(other) === (name === "least") ? one : other;
}
