import { metaValue } from "#policies/meta-value.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import type { Quota } from "#policies/removal-bound.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** What each owner (or collection, or value) uses on the backends, if more than its quota. */
export function usedBy({ per, bytes }: Quota, from: bigint): SqlFragment {
  return sql`SELECT name, sum(used) AS bytes
    FROM (SELECT ${quotaName(per)} AS name,
      o.size * bit_count(o.present_mask & ${maskSql(from)}) AS used FROM object o)
    WHERE name IS NOT NULL GROUP BY name HAVING sum(used) > ${bytes}::BIGINT`;
}

/** Over `object o`: whose quota it counts for; null when it is nobody's. */
export function quotaName(per: string): SqlFragment {
  if (per === "owner" || per === "collection") return trusted(`o.${per}`);
  return metaValue(per.slice("meta.".length));
}
