import type { Transaction } from "#index/transaction.ts";

/**
 * Which batches must end before others: new copies come first, then moves, then what is only
 * given up. A removal is judged when the copies that justify it exist, instead of being refused
 * because they are still on their way. Only batches about the same objects wait for each other.
 */
export async function storeBatchNeeds(
  transaction: Transaction,
  runKey: number,
  planKey: number,
): Promise<void> {
  // Most plans have one kind of action: then there is nothing to wait for.
  const { ranks } = await transaction.row<{ ranks: number }>(
    `SELECT count(DISTINCT ${rankOf("b")}) AS ranks FROM batches AS b WHERE run_key = $1`,
    [runKey],
  );
  if (ranks > 1) await transaction.run(insertNeeds, [runKey, planKey]);
}

/** Forgets the order of batches that have all ended. */
export async function dropBatchNeeds(transaction: Transaction): Promise<void> {
  await transaction.run(
    "DELETE FROM batch_needs WHERE run_key IN (SELECT run_key FROM runs WHERE ended_at IS NOT NULL)",
  );
}

/** A condition: a batch that this one needs has not ended. */
export function needsMore(alias: string): string {
  return `EXISTS (
    FROM batch_needs AS n JOIN batches AS e ON e.run_key = n.run_key AND e.number = n.needs
    WHERE n.run_key = ${alias}.run_key AND n.number = ${alias}.number AND e.state <> 'done')`;
}

function rankOf(alias: string): string {
  return `CASE WHEN ${alias}.victim IS NULL THEN 0
    WHEN ${alias}.target IS NOT NULL THEN 1 ELSE 2 END`;
}

const insertNeeds = `
  INSERT INTO batch_needs
  WITH ranked AS (
    SELECT p.sequence, p.object_id, ${rankOf("p")} AS rank
    FROM plan_actions AS p WHERE p.plan_key = $2),
  several AS (
    SELECT object_id FROM ranked GROUP BY object_id HAVING min(rank) < max(rank)),
  placed AS (
    SELECT b.number, a.object_id, a.rank
    FROM (FROM ranked SEMI JOIN several USING (object_id)) AS a
    ASOF JOIN (SELECT number, first FROM batches WHERE run_key = $1) AS b
      ON a.sequence >= b.first)
  SELECT DISTINCT $1, late.number, early.number
  FROM placed AS late JOIN placed AS early USING (object_id)
  WHERE early.rank < late.rank`;
