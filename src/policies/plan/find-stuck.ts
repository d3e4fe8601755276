import type { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";

/**
 * `plan_stuck`: for `stuck_copies` and `stuck_removals`, the backends to which an object is not
 * copied, and from which it is not removed, because it failed there too often for the same cause.
 * Answers whether there are any; where there are none, there is no such table.
 */
export async function findStuck(planning: Planning): Promise<boolean> {
  const some = await planning.rows(trusted(`SELECT 1 FROM failing WHERE ${isStuck} LIMIT 1`));
  if (some.length > 0) await readStuck(planning);
  return some.length > 0;
}

const isStuck = "quarantined_at IS NOT NULL AND step <> 'act'";

/** Makes `plan_stuck`, whether there are any or not. */
export async function readStuck(planning: Planning): Promise<void> {
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_stuck AS
    SELECT object_id,
      coalesce(bit_or(1::BIGINT << backend_id) FILTER (WHERE step = 'copy'), 0) AS copies,
      coalesce(bit_or(1::BIGINT << backend_id) FILTER (WHERE step = 'removal'), 0) AS removals
    FROM failing WHERE ${isStuck} GROUP BY object_id`),
  );
}
