import type { Planning } from "#policies/plan/planning.ts";
import { sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/**
 * `plan_locked`: the backends that let nobody remove their copy of an object at the moment of the
 * plan, as far as they said so, of these objects if some are named. Answers whether there are any; where there are none, there is no such
 * table. A lock whose time is over holds nothing, whether somebody looked since or not.
 */
export async function findLocked(
  planning: Planning,
  only?: readonly number[] | SqlFragment,
): Promise<boolean> {
  const asked = only !== undefined && "map" in only ? only.map(Number) : undefined;
  const among = asked === undefined ? "" : `AND k.object_id IN (${[-1, ...asked].join()})`;
  const holds = sql`${lockHolds(planning)} ${trusted(among)}`;
  const some = await planning.rows(sql`SELECT 1 FROM lock k WHERE ${holds} LIMIT 1`);
  if (some.length === 0) return false;
  await planning.run(sql`CREATE OR REPLACE TEMP TABLE plan_locked AS
    SELECT k.object_id, bit_or(1::BIGINT << k.backend_id) AS backends
    FROM lock k WHERE ${holds} GROUP BY k.object_id`);
  return true;
}

/** Whether a row `k` of the view `lock` holds at the moment of the plan. */
export function lockHolds({ set }: Planning): SqlFragment {
  const now = trusted(`make_timestamp(${set.moment.now.getTime() * 1_000}::BIGINT)`);
  return sql`(k.legal_hold OR k.until > ${now})`;
}
