import { micros } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * Has the grace of every mark for deletion begin now: for an index that may lack what lifted a
 * mark, such as content that was handed in again. Says how many marks there are.
 */
export async function renewGraces(transaction: Transaction, now: Date): Promise<number> {
  const objects = await transaction.run(
    `UPDATE objects SET tombstoned = make_timestamp($1::BIGINT)
     WHERE tombstoned < make_timestamp($1::BIGINT)`,
    [micros(now)],
  );
  if (objects > 0) {
    const reason = "the graces of marks for deletion begin anew: what lifted some may not be known";
    transaction.record({ at: now, kind: "control", reason, detail: { objects } });
  }
  return objects;
}
