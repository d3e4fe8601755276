import { sql, type SqlFragment } from "#policies/sql-fragment.ts";

/** What a TIMESTAMP can say, in milliseconds from 1970. */
const millisecondsMax = 9e15;

/** A point in time (milliseconds since 1970) as a parameter of type TIMESTAMP. */
export function timestampParameter(milliseconds: number): SqlFragment {
  const held = Math.max(-millisecondsMax, Math.min(millisecondsMax, milliseconds));
  return sql`make_timestamp(${BigInt(Math.round(held * 1000))}::BIGINT)`;
}
