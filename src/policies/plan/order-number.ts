import type { Planning } from "#policies/plan/planning.ts";
import { orderColumn } from "#policies/plan/scan-candidates.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What objects are put in order by first, as a number that tells them apart as the order does. */
export interface OrderNumber {
  /** Over `plan_want` as `w`; null where an object has none, which then comes last. */
  readonly column: SqlFragment;
  readonly descending: boolean;
}

const numbers = /^(?:U?(?:TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE)$/;

/** The first key of a rule's order, or the object's id without one; undefined where it is no number. */
export async function orderNumber(
  planning: Planning,
  index: number,
): Promise<OrderNumber | undefined> {
  const [key] = planning.rules[index]?.order ?? [];
  if (key === undefined) return { column: trusted("w.object_id"), descending: false };
  const column = trusted(`w.${orderColumn(index, 0)}`);
  const { descending } = key;
  const [first] = await planning.rows(
    sql`SELECT typeof(${column}) AS type FROM plan_want w LIMIT 1`,
  );
  const type = String(first?.["type"]);
  // Whole microseconds, of which a double holds those of the next two centuries.
  if (type === "TIMESTAMP") return { column: sql`epoch_us(${column})`, descending };
  return numbers.test(type) ? { column, descending } : undefined;
}
