import { listHolders } from "#index/backends.ts";
import type { AddedRun } from "#index/runs/begin-run.ts";
import type { Transaction } from "#index/transaction.ts";
import { hasPrice } from "#model/backend.ts";
import {
  copyingCost,
  earlyEndCost,
  leftMs,
  priceColumns,
  priceRows,
  readingCost,
} from "#model/cost-sql.ts";
import type { Plan } from "#model/plan.ts";

/**
 * Reserves what the rows of a plan (the view `plan_rows`) may cost, as the plan has priced them:
 * by its own moment, so that the two agree to the last digit.
 */
export async function reserveCosts(
  transaction: Transaction,
  { runKey }: Pick<AddedRun, "runKey">,
  { evaluatedAt }: Plan,
): Promise<void> {
  const holders = await listHolders(transaction.connection);
  if (!holders.some(hasPrice)) return;
  const prices = `(VALUES ${priceRows(holders)})`;
  const price = (name: string, column: string) =>
    `JOIN ${prices} AS ${name}(${priceColumns}) ON ${name}.backend_id = coalesce(p.${column}, -1)`;
  const left = leftMs(new Date(evaluatedAt), "k.since", "v");
  await transaction.run(
    `INSERT INTO action_costs
     SELECT $1, sequence, policy, copying, removing FROM (
       SELECT p.sequence, split_part(p.rule, '/', 1) AS policy,
         CASE WHEN p.target IS NOT NULL AND (o.present_mask >> greatest(p.target, 0)) & 1 = 0
           THEN ${copyingCost("p.size", "s", "t")}
           WHEN p.verb = 'export-car' THEN ${readingCost("p.size", "s")} ELSE 0 END AS copying,
         CASE WHEN p.victim IS NULL THEN 0 ELSE ${earlyEndCost("p.size", "v", left)} END AS removing
       FROM plan_rows AS p JOIN objects AS o ON o.object_id = p.object_id
       ${price("s", "source")} ${price("t", "target")} ${price("v", "victim")}
       LEFT JOIN copies AS k ON k.object_id = p.object_id AND k.backend_id = p.victim
         AND v.minimum_ms > 0)
     WHERE copying + removing > 0 ORDER BY sequence`,
    [runKey],
  );
  await transaction.run(
    `INSERT INTO reserved_costs
     SELECT run_key, policy, sum(copying + removing) FROM action_costs
     WHERE run_key = $1 GROUP BY run_key, policy ORDER BY policy`,
    [runKey],
  );
}
