import { micros } from "#index/connection.ts";
import { type FailureSelection, failuresOf } from "#index/failures/read-failures.ts";
import { isSameFailure } from "#index/failures/same-failure.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";

/** Why failures are forgotten: let out of quarantine, or nobody is to be troubled by them again. */
export type Forgetting = "released" | "dismissed";

/**
 * Forgets failures, quarantined ones with their quarantine: an object gets as many tries as one
 * that never failed. Set-based, since a repaired backend may release millions. Says how many.
 */
export async function forgetFailures(
  transaction: Transaction,
  selection: FailureSelection,
  how: Forgetting,
  reason: string,
  now: Date,
): Promise<number> {
  const { text, parameters } = failuresOf(selection);
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE forgotten AS
     SELECT f.object_id, f.step, f.backend_id, f.backend, f.rule, f.code, f.quarantined_at ${text}`,
    parameters,
  );
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM forgotten",
  );
  if (count === 0) return 0;
  await transaction.run(
    `DELETE FROM failing_actions AS f USING forgotten AS r WHERE ${isSameFailure("f", "r")}`,
  );
  await transaction.run(ledgerOfForgotten, [
    transaction.takeIds("entry", count),
    micros(now),
    how,
    reason,
  ]);
  return count;
}

const ledgerOfForgotten = `
  INSERT INTO ledger_entries (${ledgerColumns})
  SELECT $1 - 1 + row_number() OVER (ORDER BY object_id, step, backend_id, rule),
    make_timestamp($2::BIGINT),
    CASE WHEN quarantined_at IS NULL THEN 'failure' ELSE 'quarantine' END,
    NULL, NULL, NULL, object_id, NULL, $3,
    json_object('backend', backend, 'step', step, 'rule', rule, 'code', code, 'reason', $4)
  FROM forgotten`;
