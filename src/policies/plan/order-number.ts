import type { Planning } from "#policies/plan/planning.ts";
import { orderColumn } from "#policies/plan/scan-candidates.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What objects are put in order by first, as a number that tells them apart as the order does. */
export interface OrderNumber {
  /** Over `plan_want` as `w`; null where an object has no key, which then comes last. */
  readonly column: SqlFragment;
  readonly descending: boolean;
  /**
   * Rows up to a number in this order, and maybe some more. DuckDB reads the other columns only of
   * rows that pass such a comparison of a column as it is.
   */
  readonly upTo: (number: number) => SqlFragment;
}

const numbers = /^(?:U?(?:TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE)$/;

/** The first key of a rule's order, or the object's id without one; undefined where it is no number. */
export async function orderNumber(
  planning: Planning,
  index: number,
): Promise<OrderNumber | undefined> {
  const [key] = planning.rules[index]?.order ?? [];
  const name = key === undefined ? "w.object_id" : `w.${orderColumn(index, 0)}`;
  const raw = trusted(name);
  const [first] = await planning.rows(sql`SELECT typeof(${raw}) AS type FROM plan_want w LIMIT 1`);
  const type = String(first?.["type"]);
  // Whole microseconds, of which a double holds those of the next two centuries.
  const isTime = type === "TIMESTAMP";
  if (!isTime && !numbers.test(type)) return undefined;
  const descending = key?.descending ?? false;
  const isWhole = isTime || type.endsWith("INT") || type.endsWith("INTEGER");
  const upTo = (number: number) => {
    // What a double does not tell apart may be on either side.
    if (!Number.isFinite(number) || (isWhole && !Number.isSafeInteger(number))) {
      return trusted("true");
    }
    const end = isWhole ? sql`${number}::BIGINT` : sql`${number}::DOUBLE`;
    const isUpTo = trusted(descending ? ">=" : "<=");
    return sql`${raw} ${isUpTo} ${isTime ? sql`make_timestamp(${end})` : end}`;
  };
  return { column: isTime ? microseconds(raw) : raw, descending, upTo };
}

/** Of a time, which may be before or after all others. */
function microseconds(time: SqlFragment): SqlFragment {
  return sql`CASE WHEN isfinite(${time}) THEN epoch_us(${time})::DOUBLE
    WHEN ${time} > TIMESTAMP '2000-01-01' THEN 'infinity'::DOUBLE
    WHEN ${time} IS NOT NULL THEN '-infinity'::DOUBLE END`;
}
