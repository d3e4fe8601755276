import { orderNumber } from "#policies/plan/order-number.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Where, in the order of a rule, what is needed (`plan_need`) is reached, over `plan_want` as `w`. */
export interface TurningPoint {
  /** Rows that are needed for certain, and what they free, which may be more than a double holds. */
  readonly isBefore: SqlFragment;
  readonly bytes: bigint;
  /** Rows among which the last one is that is needed. */
  readonly isThere: SqlFragment;
  /** All of these and maybe some more, in a way that is quick to ask. */
  readonly isEarly: SqlFragment;
}

export const anywhere: TurningPoint = {
  isBefore: trusted("false"),
  bytes: 0n,
  isThere: trusted("true"),
  isEarly: trusted("true"),
};
const nowhere: TurningPoint = { ...anywhere, isThere: trusted("false") };

/** Keys are counted in so many stretches of the same width, and those without a key as one more. */
const stretches = 1_024;

/**
 * Adds up what acting wishes free by stretches of the first key of their order, so that only those
 * of one stretch have to be sorted. Anywhere when they are few, or the key is no number.
 */
export async function turningPoint(
  planning: Planning,
  index: number,
  from: number,
): Promise<TurningPoint> {
  const [counted] = await planning.rows(
    trusted("SELECT count(*) AS objects FROM plan_want w WHERE w.acts"),
  );
  if (Number(counted?.["objects"]) < from) return anywhere;
  const key = await orderNumber(planning, index);
  if (key === undefined) return anywhere;
  const column = sql`(${key.column})::DOUBLE`;
  const [ends] = await planning.rows(sql`SELECT min(${column}) AS least, max(${column}) AS most
    FROM plan_want w WHERE w.acts`);
  const [least, most] = [ends?.["least"], ends?.["most"]];
  if (typeof least !== "number" || typeof most !== "number") return anywhere;
  const scale = stretches / (most - least);
  if (!Number.isFinite(scale) || scale === 0) return anywhere;
  const along = key.descending
    ? sql`${most}::DOUBLE - ${column}`
    : sql`${column} - ${least}::DOUBLE`;
  const stretch = sql`CASE WHEN ${column} IS NULL THEN ${stretches}
    ELSE least(${stretches - 1}, floor((${along}) * ${scale}::DOUBLE)) END::INTEGER`;
  const [found] = await planning.rows(sql`SELECT stretch, before::VARCHAR AS bytes FROM (
      SELECT stretch, sum(freed) OVER (ORDER BY stretch ROWS UNBOUNDED PRECEDING) - freed AS before
      FROM (SELECT ${stretch} AS stretch, sum(w.size * bit_count(w.gone)) AS freed
        FROM plan_want w WHERE w.acts GROUP BY ALL))
    WHERE before < (SELECT bytes FROM plan_need) ORDER BY stretch DESC LIMIT 1`);
  if (found === undefined) return nowhere;
  const number = Number(found["stretch"]);
  const last = sql`${number}::INTEGER`;
  // One stretch more than it is: what is rounded cannot be wrong by as much.
  const width = (number + 2) / scale;
  const isEarly =
    number + 2 < stretches
      ? key.upTo(key.descending ? most - width : least + width)
      : trusted("true");
  return {
    isBefore: sql`${stretch} < ${last}`,
    bytes: BigInt(String(found["bytes"])),
    isThere: sql`${stretch} = ${last}`,
    isEarly,
  };
}
