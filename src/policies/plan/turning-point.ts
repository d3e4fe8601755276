import type { SqlRow } from "#model/sql.ts";
import { type OrderNumber, orderNumber } from "#policies/plan/order-number.ts";
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
/** A stretch that has most of the keys is divided again: few keys may be far from all others. */
const divisionsMax = 4;

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
  const [ends] = await planning.rows(sql`SELECT min(${numberOf(key)}) AS least,
      max(${numberOf(key)}) AS most FROM plan_want w WHERE w.acts`);
  let keys = keysOf(ends);
  let turning = anywhere;
  for (let division = 0; keys !== undefined && division < divisionsMax; division += 1) {
    const stretch = stretchOf(key, keys);
    if (stretch === undefined) break;
    const found = await findStretch(planning, key, stretch, turning);
    if (found === undefined) return nowhere;
    keys = keysOf(found);
    turning = pointOf(key, keys, BigInt(String(found["bytes"])));
    if (Number(found["objects"]) < from) break;
  }
  return turning;
}

/** The least and the most of some keys. */
interface Keys {
  readonly least: number;
  readonly most: number;
}

function keysOf(row: SqlRow | undefined): Keys | undefined {
  const [least, most] = [row?.["least"], row?.["most"]];
  return typeof least === "number" && typeof most === "number" ? { least, most } : undefined;
}

/** The number of a row's stretch; undefined where these keys cannot be divided. */
function stretchOf(key: OrderNumber, { least, most }: Keys): SqlFragment | undefined {
  const scale = stretches / (most - least);
  if (!Number.isFinite(scale) || scale === 0) return undefined;
  const number = numberOf(key);
  const along = key.descending
    ? sql`${most}::DOUBLE - ${number}`
    : sql`${number} - ${least}::DOUBLE`;
  return sql`CASE WHEN ${number} IS NULL THEN ${stretches}
    ELSE least(${stretches - 1}, floor((${along}) * ${scale}::DOUBLE)) END::INTEGER`;
}

/** The stretch in which the need is met or, where all is needed, the last one. */
async function findStretch(
  planning: Planning,
  key: OrderNumber,
  stretch: SqlFragment,
  { isEarly, isThere, bytes }: TurningPoint,
): Promise<SqlRow | undefined> {
  const [found] = await planning.rows(sql`SELECT objects, least, most, before::VARCHAR AS bytes
    FROM (SELECT *, ${String(bytes)}::HUGEINT
        + sum(freed) OVER (ORDER BY stretch ROWS UNBOUNDED PRECEDING) - freed AS before
      FROM (SELECT ${stretch} AS stretch, count(*) AS objects, min(${numberOf(key)}) AS least,
          max(${numberOf(key)}) AS most, sum(w.size * bit_count(w.gone)) AS freed
        FROM plan_want w WHERE w.acts AND ${isEarly} AND ${isThere} GROUP BY ALL))
    WHERE before < (SELECT bytes FROM plan_need) ORDER BY stretch DESC LIMIT 1`);
  return found;
}

/** At the rows with these keys, of which a stretch has all; at those without a key, which are last. */
function pointOf(key: OrderNumber, keys: Keys | undefined, bytes: bigint): TurningPoint {
  const number = numberOf(key);
  if (keys === undefined) {
    const isBefore = sql`${number} IS NOT NULL`;
    return { isBefore, bytes, isThere: sql`${number} IS NULL`, isEarly: trusted("true") };
  }
  const { least, most } = keys;
  return {
    isBefore: key.descending ? sql`${number} > ${most}::DOUBLE` : sql`${number} < ${least}::DOUBLE`,
    bytes,
    isThere: sql`${number} BETWEEN ${least}::DOUBLE AND ${most}::DOUBLE`,
    isEarly: key.upTo(key.descending ? least : most),
  };
}

function numberOf({ column }: OrderNumber): SqlFragment {
  return sql`(${column})::DOUBLE`;
}
