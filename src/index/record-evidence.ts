import { applyCopyChanges, copyChangeColumns } from "#index/apply-copies.ts";
import { backendIds, requireBackend } from "#index/backends.ts";
import { cidKey } from "#index/cid-key.ts";
import { openRepairs } from "#index/failures/repair-log.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import { type LockFinding, recordLocks } from "#index/storage-locks.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Evidence } from "#model/copy.ts";

const states = { present: "present", absent: "lost", corrupt: "corrupt" } as const;

/**
 * Records what checks found: present copies gain confidence, absent and corrupt ones stop
 * counting as copies, and the ledger notes it. Findings about copies that the index does not
 * know change nothing: the copy may have been removed since. Answers how many copies each
 * backend was found to have lost.
 */
export async function recordEvidence(
  transaction: Transaction,
  evidence: readonly Evidence[],
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  if (evidence.length === 0) return new Map();
  const ids = await backendIds(transaction.connection);
  const keys = evidence.map((found) => cidKey(found.cid));
  await transaction.stage(
    "found_cids",
    { position: "BIGINT", cid_key: "BIGINT", cid: "BLOB" },
    keys.map((key, position) => [position, key.key, key.bytes]),
  );
  await resolveCids(transaction, "found_cids");
  await transaction.stage(
    "found_copies",
    copyChangeColumns,
    evidence.map((found, position) => [
      position,
      null,
      requireBackend(ids, found.backend),
      states[found.finding],
      found.confidence,
      new Date(found.checkedAt),
      null,
      null,
      null,
    ]),
  );
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE copy_changes AS
     SELECT f.* REPLACE (r.object_id AS object_id)
     FROM found_copies AS f JOIN found_cids_resolved AS r USING (position)
     WHERE r.object_id IS NOT NULL`,
  );
  const lost = await recordDrift(transaction, evidence, now);
  await applyCopyChanges(transaction);
  await recordLocksOf(transaction, evidence, ids);
  return lost;
}

/** What checks were told of locks on copies that they found. */
async function recordLocksOf(
  transaction: Transaction,
  evidence: readonly Evidence[],
  backends: ReadonlyMap<string, number>,
): Promise<void> {
  if (!evidence.some(({ lock }) => lock !== undefined)) return;
  const objects = await transaction.rows<{ position: number; object_id: number }>(
    "SELECT position, object_id FROM found_cids_resolved WHERE object_id IS NOT NULL",
  );
  const findings = objects.flatMap(({ position, object_id: objectId }): readonly LockFinding[] => {
    const found = evidence[position];
    if (found?.lock === undefined) return [];
    const { backend, lock, checkedAt } = found;
    const backendId = requireBackend(backends, backend);
    return [{ objectId, backendId, lock, seenAt: new Date(checkedAt) }];
  });
  await recordLocks(transaction, findings);
}

/** A ledger entry and a repair for each copy that was believed present and is not. */
async function recordDrift(
  transaction: Transaction,
  evidence: readonly Evidence[],
  now: Date,
): Promise<ReadonlyMap<string, number>> {
  const lost = new Map<string, number>();
  await transaction.run(lostCopies);
  const drifted = await transaction.rows<{ position: number; object_id: number }>(
    "SELECT position, object_id FROM lost_copies ORDER BY position",
  );
  if (drifted.length > 0) await openRepairs(transaction, now);
  for (const { position, object_id: objectId } of drifted) {
    const found = evidence[position];
    if (found === undefined) continue;
    lost.set(found.backend, (lost.get(found.backend) ?? 0) + 1);
    transaction.record({
      at: now,
      kind: "drift",
      objectId,
      reason: states[found.finding],
      detail: { evidence: found },
    });
  }
  return lost;
}

const lostCopies = `
  CREATE OR REPLACE TEMP TABLE lost_copies AS
  SELECT n.position, n.object_id, n.backend_id, n.state FROM copy_changes AS n
  JOIN copies AS c USING (object_id, backend_id)
  WHERE n.state <> 'present' AND c.state = 'present'
  QUALIFY row_number() OVER (PARTITION BY n.object_id, n.backend_id ORDER BY n.position) = 1`;
