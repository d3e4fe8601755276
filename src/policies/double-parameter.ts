import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

/**
 * A number as a parameter of type DOUBLE. Whole numbers beyond 64 bits travel as text, because
 * database clients bind whole numbers as integers.
 */
export function doubleParameter(value: number): SqlFragment {
  const isHuge =
    !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  return sql`${isHuge ? String(value) : value}::DOUBLE`;
}
