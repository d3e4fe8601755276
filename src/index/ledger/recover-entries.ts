import { changeCopies, type CopyChange } from "#index/apply-copies.ts";
import { lastOrders, type LedgerOrder } from "#index/ledger/last-orders.ts";
import { keepDeleted } from "#index/runs/commit-removals.ts";
import { readFiles } from "#index/snapshot/read-files.ts";
import type { Transaction } from "#index/transaction.ts";
import { base16Cid } from "#model/base16-cid.ts";
import { EngineError } from "#model/engine-error.ts";

/** What entries of a lost index gave back. */
export interface RecoveredEntries {
  readonly entries: number;
  /** When the last of them was recorded, ISO 8601; undefined when there are none. */
  readonly until: string | undefined;
  /** Copies that the snapshot has, and that were removed with proof after it. */
  readonly copiesGone: number;
  /** Holds and cordons that have to be ordered again. */
  readonly orders: readonly LedgerOrder[];
}

/** Copies that are taken out of the index at a time. */
const copiesAtOnce = 50_000;

/**
 * Takes over what a lost index recorded after its snapshot, from files that hold the entries
 * behind the last one here, without a gap. They keep their numbers. A copy that was removed with
 * proof is gone here too, or an inventory would call it lost and have it made again.
 */
export async function recoverEntries(
  transaction: Transaction,
  files: readonly string[],
  after: number,
): Promise<RecoveredEntries> {
  const entries = await transaction.run(insertFrom(files), [after]);
  const last = transaction.takeIds("entry", entries) + entries - 1;
  const { highest, until } = await transaction.row<{ highest: number; until: Date }>(
    "SELECT max(entry_id) AS highest, max(recorded) AS until FROM recovered_entries",
  );
  if (highest !== last || last !== after + entries) {
    throw new EngineError(
      "CORRUPT",
      `the tail of the ledger ends with entry ${highest} after ${entries} entries from ${after}`,
    );
  }
  const orders = await transaction.rows(lastOrders(withTextCids), [after]);
  return {
    entries,
    until: until.toISOString(),
    copiesGone: await removeGone(transaction, after),
    orders: orders as unknown as readonly LedgerOrder[],
  };
}

// Numbers of objects are those of the snapshot as far as it goes; what came later has a CID only.
function insertFrom(files: readonly string[]): string {
  return `
    INSERT INTO recovered_entries BY NAME
    SELECT f.entry AS entry_id, f.recorded, f.kind, f.outcome, f.reason, f.message, f.run, f.plan,
      f.action, f.policy, f.rule, f.verb, f.backend, o.object_id,
      coalesce(o.cid, unhex(substr(f.cid, 2))) AS cid, f.path, f.actor, f.note, f.detail
    FROM ${readFiles(files)} AS f
    LEFT JOIN objects AS o ON o.object_id = f.object_id
    WHERE f.entry > $1 ORDER BY f.entry`;
}

const withTextCids = `(SELECT entry_id AS entry, ${base16Cid("cid")} AS cid,
  * EXCLUDE (entry_id, cid) FROM recovered_entries)`;

const provenGone = `
  SELECT r.object_id AS "objectId", b.backend_id AS "backendId", max(r.recorded) AS "checkedAt",
    bool_or(json_extract_string(r.detail, '$.authority') = 'delete') AS deleted
  FROM recovered_entries AS r JOIN backends AS b ON b.name = r.backend
  SEMI JOIN copies AS c ON c.object_id = r.object_id AND c.backend_id = b.backend_id
  WHERE r.kind = 'proof' AND r.entry_id > $1
  GROUP BY ALL ORDER BY 1, 2`;

async function removeGone(transaction: Transaction, after: number): Promise<number> {
  const gone = await transaction.rows<{
    readonly objectId: number;
    readonly backendId: number;
    readonly checkedAt: Date;
    readonly deleted: boolean;
  }>(provenGone, [after]);
  for (let from = 0; from < gone.length; from += copiesAtOnce) {
    const some = gone.slice(from, from + copiesAtOnce);
    await changeCopies(
      transaction,
      some.map(({ objectId, backendId, checkedAt }): CopyChange => {
        return { objectId, backendId, state: "gone", confidence: "claimed", checkedAt };
      }),
    );
    await keepDeleted(
      transaction,
      some.map(({ objectId, checkedAt, deleted }) => ({
        objectId,
        issuedAt: checkedAt.toISOString(),
        authority: deleted ? "delete" : "surplus",
      })),
    );
  }
  return gone.length;
}
