import type { Connection } from "#index/connection.ts";
import type { SqlRow } from "#model/sql.ts";

/** How many actions ended with one outcome, since the index was made. */
export interface ActionTotal extends SqlRow {
  readonly policy: string;
  readonly verb: string;
  /** The backend that got the copy, else the one that lost it; "" when none was touched. */
  readonly backend: string;
  readonly outcome: string;
  readonly actions: number;
}

/** Adds up what the batches of all runs have counted, in a fixed order. */
export async function actionTotals(connection: Connection): Promise<readonly ActionTotal[]> {
  return await connection.rows<ActionTotal>(
    `SELECT policy, verb, backend, outcome, actions FROM (
       SELECT b.policy, b.verb, coalesce(t.name, v.name, '') AS backend,
         sum(b.done)::BIGINT AS done, sum(b.skipped)::BIGINT AS skipped,
         sum(b.failed)::BIGINT AS failed, sum(b.cancelled)::BIGINT AS cancelled
       FROM batches AS b LEFT JOIN backends AS t ON t.backend_id = b.target
       LEFT JOIN backends AS v ON v.backend_id = b.victim GROUP BY ALL)
     UNPIVOT (actions FOR outcome IN (done, skipped, failed, cancelled))
     WHERE actions > 0 ORDER BY ALL`,
  );
}
