import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

/** Milliseconds (DOUBLE) from an instant (TIMESTAMP) to `now`. */
export function elapsedSince(instant: SqlFragment, now: Date): SqlFragment {
  return sql`(${now.getTime()}::DOUBLE - epoch_us(${instant}) / 1000.0::DOUBLE)`;
}
