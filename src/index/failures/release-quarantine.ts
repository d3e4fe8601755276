import { micros } from "#index/connection.ts";
import { type FailureSelection, failuresOf } from "#index/failures/read-failures.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";

/**
 * Ends quarantines: what was counted is forgotten, so that an object gets as many tries as one
 * that never failed. Set-based, since a repaired backend may release millions.
 */
export async function releaseQuarantine(
  transaction: Transaction,
  selection: FailureSelection,
  reason: string,
  now: Date,
): Promise<number> {
  const { text, parameters } = failuresOf({ ...selection, quarantined: true });
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE released AS
     SELECT f.object_id, f.step, f.backend_id, f.backend, f.code ${text}`,
    parameters,
  );
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM released",
  );
  if (count === 0) return 0;
  await transaction.run(
    `DELETE FROM failing_actions AS f USING released AS r
     WHERE f.object_id = r.object_id AND f.step = r.step::failure_step
       AND f.backend_id = r.backend_id`,
  );
  await transaction.run(ledgerOfRelease, [
    transaction.takeIds("entry", count),
    micros(now),
    reason,
  ]);
  return count;
}

const ledgerOfRelease = `
  INSERT INTO ledger_entries (${ledgerColumns})
  SELECT $1 - 1 + row_number() OVER (ORDER BY object_id, step, backend_id),
    make_timestamp($2::BIGINT), 'quarantine', NULL, NULL, NULL, object_id, NULL, 'released',
    json_object('backend', backend, 'step', step, 'code', code, 'reason', $3)
  FROM released`;
