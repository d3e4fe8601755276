import { maskSql } from "#policies/plan/mask-sql.ts";
import type { Quota } from "#policies/removal-bound.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What each owner or collection uses on the backends, if that is more than its quota. */
export function usedBy({ per, bytes }: Quota, from: bigint): SqlFragment {
  const name = trusted(`o.${per}`);
  return sql`SELECT ${name} AS name, sum(o.size * bit_count(o.present_mask & ${maskSql(from)}))
      AS bytes
    FROM object o WHERE ${name} IS NOT NULL
    GROUP BY ALL HAVING sum(o.size * bit_count(o.present_mask & ${maskSql(from)}))
      > ${bytes}::BIGINT`;
}
