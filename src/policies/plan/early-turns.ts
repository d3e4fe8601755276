import { orderNumber } from "#policies/plan/order-number.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** The limits of a rule, if it has them, and what it has used of them. */
export interface Most {
  readonly objects: number | undefined;
  readonly bytes: number | undefined;
  readonly spent: { readonly objects: number; readonly bytes: number };
}

/** One of so many objects is looked at to guess how far the limits reach. */
const oneOf = 16;

/**
 * Narrows the acting rows of `plan_want` (alias `w`) to those up to a first key of the rule's order
 * by which its limits are exceeded for certain: whatever comes later has no turn. The key is
 * guessed from some of the rows, and left out where it turns out that the limits reach further.
 */
export async function earlyTurns(
  planning: Planning,
  index: number,
  { objects, bytes, spent }: Most,
  acting: { readonly objects: number; readonly bytes: number },
): Promise<SqlFragment> {
  if (acting.objects < planning.manyFrom) return trusted("");
  const left = {
    objects: objects === undefined ? Number.POSITIVE_INFINITY : objects - spent.objects,
    bytes: bytes === undefined ? Number.POSITIVE_INFINITY : bytes - spent.bytes,
  };
  const share = Math.min(left.objects / acting.objects, left.bytes / Math.max(1, acting.bytes));
  if (share > 0.5) return trusted("");
  const key = await orderNumber(planning, index);
  if (key === undefined) return trusted("");
  const { column } = key;
  const place = Math.ceil(((1.2 * Math.max(0, share) + 0.02) * acting.objects) / oneOf);
  const [last] = await planning.rows(sql`SELECT ${column} AS key FROM plan_want w
    WHERE w.acts AND hash(w.object_id) % ${trusted(`${oneOf}`)} = 0
    ORDER BY ${column} ${trusted(key.descending ? "DESC" : "ASC")} NULLS LAST
    LIMIT 1 OFFSET ${trusted(`${place}`)}`);
  // Larger whole numbers are not worth it, nor is what is before or after all others.
  const end = last?.["key"];
  if (typeof end !== "number" || !Number.isFinite(end)) return trusted("");
  const early = sql`AND ${column} ${trusted(key.descending ? ">=" : "<=")} ${end}`;
  const fits = fitting(bytes);
  const [sums] = await planning.rows(sql`SELECT count(*) FILTER (${fits}) AS objects,
      coalesce(sum(w.bytes) FILTER (${fits}), 0)::BIGINT AS bytes
    FROM plan_want w WHERE w.acts ${early}`);
  const isExceeded =
    Number(sums?.["objects"]) > left.objects || Number(sums?.["bytes"]) > left.bytes;
  return isExceeded ? early : trusted("");
}

/** Whether an object (of `w`) is not too large for all bytes of a limit by itself. */
export function fitting(bytes: number | undefined): SqlFragment {
  return bytes === undefined ? trusted("true") : sql`w.bytes <= ${bytes}::BIGINT`;
}
