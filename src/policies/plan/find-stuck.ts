import type { Planning } from "#policies/plan/planning.ts";
import { trusted } from "#policies/sql-fragment.ts";

/**
 * `plan_stuck`: for `stuck_copies` and `stuck_removals`, the backends to which an object is not
 * copied, and from which it is not removed, because it failed there too often for the same cause.
 * Whether there are any.
 */
export async function findStuck(planning: Planning): Promise<boolean> {
  await planning.run(
    trusted(`CREATE OR REPLACE TEMP TABLE plan_stuck AS
    SELECT object_id,
      coalesce(bit_or(1::BIGINT << backend_id) FILTER (WHERE step = 'copy'), 0) AS copies,
      coalesce(bit_or(1::BIGINT << backend_id) FILTER (WHERE step = 'removal'), 0) AS removals
    FROM failing WHERE quarantined_at IS NOT NULL AND step <> 'act' GROUP BY object_id`),
  );
  return (await planning.rows(trusted("SELECT 1 FROM plan_stuck LIMIT 1"))).length > 0;
}
