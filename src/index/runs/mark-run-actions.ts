import { micros } from "#index/connection.ts";
import type { OpenAction } from "#index/runs/step-batch.ts";
import { isDoneOutside } from "#model/run-order.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * Notes when an action of a rule with `run:` was done, so that plans know since when: beside the
 * leases, which say the same of rules that have copies made. With the backend where it was about
 * a copy.
 */
export async function markRunActions(
  transaction: Transaction,
  actions: readonly OpenAction[],
  now: Date,
): Promise<void> {
  if (actions.length === 0) return;
  await transaction.stage(
    "run_marks",
    { object_id: "BIGINT", backend_id: "INTEGER", rule: "VARCHAR" },
    actions.map(({ object_id, source, verb, rule }) => [
      object_id,
      isDoneOutside(verb) ? null : source,
      rule,
    ]),
  );
  await transaction.run(`DELETE FROM leases AS l USING run_marks AS n
    WHERE n.object_id = l.object_id AND n.rule = l.rule
      AND (l.backend_id IS NULL OR l.backend_id = n.backend_id)`);
  await transaction.run(
    `INSERT INTO leases SELECT DISTINCT object_id, backend_id, rule, make_timestamp($1::BIGINT)
     FROM run_marks`,
    [micros(now)],
  );
}
