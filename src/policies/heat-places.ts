import type { ComparisonOperator } from "#policies/expression/syntax.ts";
import { doubleParameter } from "#policies/double-parameter.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * Where each heat that occurs stands among all objects: how many are colder, as hot, and there in
 * all. Objects that are as hot are counted before they are put in order, and most are of heat 0.
 * Time alone changes no place: it takes the same share from every heat.
 */
const places = sql`(select heat_weight, total - colder - alike as hotter, colder, total from (
    select heat_weight, count(*) as alike, sum(count(*)) over () as total,
      sum(count(*)) over (order by heat_weight) - count(*) as colder
    from object group by heat_weight))`;

/** A number that follows from the place of an object: SQL over `hotter`, `colder`, `total`. */
export interface HeatPlace {
  readonly value: SqlFragment;
  /** Whether hotter objects have greater numbers. */
  readonly grows: boolean;
}

/** The number of the object `o`. */
export function heatPlace({ value }: HeatPlace): SqlFragment {
  return sql`(select ${value} from ${places} p where p.heat_weight = o.heat_weight)`;
}

/** The same compared with a constant, as a bound on the heat itself: no object is looked up. */
export function compareHeatPlace(
  { value, grows }: HeatPlace,
  operator: ComparisonOperator,
  constant: number,
): SqlFragment | undefined {
  if (operator === "=" || operator === "!=") return undefined;
  const isHot = grows === (operator === ">" || operator === ">=");
  const least = sql`(select ${trusted(isHot ? "min" : "max")}(heat_weight) from ${places} p
    where ${value} ${trusted(operator)} ${doubleParameter(constant)})`;
  const bound: SqlFragment = { ...least, follows: "heats" };
  return sql`coalesce(o.heat_weight ${trusted(isHot ? ">=" : "<=")} ${bound}, false)`;
}
