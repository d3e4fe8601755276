import { cidText } from "#index/cid-key.ts";
import { type Connection, micros, type StageType, type StageValue } from "#index/connection.ts";
import type { Transaction } from "#index/transaction.ts";
import type { ObjectRef, StorageLock } from "#model/copy.ts";

/** What somebody was told of the lock of one copy; null where there is none. */
export interface LockFinding {
  readonly objectId: number;
  readonly backendId: number;
  readonly lock: StorageLock | null;
  readonly seenAt: Date;
}

/** Columns of the temporary table `lock_findings`; `legal_hold` is null where there is no lock. */
const findingColumns: Readonly<Record<string, StageType>> = {
  object_id: "BIGINT",
  backend_id: "INTEGER",
  legal_hold: "BOOLEAN",
  until: "TIMESTAMP",
  mode: "VARCHAR",
  seen_at: "TIMESTAMP",
};

/** Records what storage said of its locks on copies. */
export async function recordLocks(
  transaction: Transaction,
  findings: readonly LockFinding[],
): Promise<void> {
  if (findings.length === 0) return;
  await transaction.stage("lock_findings", findingColumns, findings.map(findingRow));
  await applyLocks(transaction);
}

function findingRow({ objectId, backendId, lock, seenAt }: LockFinding): readonly StageValue[] {
  if (lock === null) return [objectId, backendId, null, null, null, seenAt];
  const until = lock.until === undefined ? null : new Date(lock.until);
  return [objectId, backendId, lock.legalHold, until, lock.mode ?? null, seenAt];
}

/**
 * Applies the temporary table `lock_findings`: of each copy the last finding counts, but what a
 * finding cannot undo stays. Nobody shortens a retention in the mode COMPLIANCE: whoever sees less
 * of it is not shown all. Storage that refused a removal without a word on its lock (a row without
 * mode) shows none to those who look either, so that only time, or a lock that is shown, ends what
 * is believed because of that; and it says nothing against what is known to hold longer.
 */
export async function applyLocks(transaction: Transaction): Promise<void> {
  await transaction.run(lastFindings);
  await transaction.run(nextLocks);
  await transaction.run(deleteOlder);
  await transaction.run(insertLocks);
}

/** Forgets the locks of copies in the temporary table `last_changes` that are there no more. */
export async function forgetLocks(transaction: Transaction): Promise<void> {
  await transaction.run(deleteOfGone);
}

const lastFindings = `
  CREATE OR REPLACE TEMP TABLE last_locks AS
  FROM lock_findings
  QUALIFY row_number() OVER (PARTITION BY object_id, backend_id
    ORDER BY seen_at DESC, legal_hold IS NULL, until DESC NULLS LAST) = 1`;

/** What replaces rows `k`, by findings `n`; `legal_hold` is null where nothing does. */
const nextLocks = `
  CREATE OR REPLACE TEMP TABLE next_locks AS
  SELECT object_id, backend_id,
    CASE WHEN stays THEN coalesce(legal_hold, FALSE) ELSE legal_hold END AS legal_hold,
    CASE WHEN stays THEN known_until ELSE until END AS until,
    CASE WHEN stays THEN 'COMPLIANCE' ELSE mode END AS mode, seen_at
  FROM (
    SELECT n.*, k.until AS known_until, k.legal_hold AS known_hold,
      coalesce(k.mode = 'COMPLIANCE' AND k.until > n.seen_at
        AND (n.until IS NULL OR n.until <= k.until), FALSE) AS stays,
      CASE WHEN n.legal_hold IS NULL
        THEN k.mode IS NULL AND NOT k.legal_hold AND k.until > n.seen_at
        ELSE NOT n.legal_hold AND n.mode IS NULL AND (k.legal_hold OR k.until >= n.until)
        END AS says_nothing
    FROM last_locks AS n LEFT JOIN storage_locks AS k USING (object_id, backend_id)
    WHERE k.seen_at IS NULL OR k.seen_at <= n.seen_at
  )
  WHERE says_nothing IS NOT TRUE AND NOT (stays AND legal_hold IS NULL AND NOT known_hold)`;

const deleteOlder = `
  DELETE FROM storage_locks USING next_locks AS n
  WHERE storage_locks.object_id = n.object_id AND storage_locks.backend_id = n.backend_id`;

const insertLocks = `
  INSERT INTO storage_locks
  SELECT n.object_id, n.backend_id, n.legal_hold, n.until, n.mode, n.seen_at
  FROM next_locks AS n
  SEMI JOIN (FROM copies WHERE state <> 'lost') AS c USING (object_id, backend_id)
  WHERE n.legal_hold IS NOT NULL
  ORDER BY n.object_id, n.backend_id`;

const deleteOfGone = `
  DELETE FROM storage_locks USING last_changes AS n
  WHERE storage_locks.object_id = n.object_id AND storage_locks.backend_id = n.backend_id
    AND n.state IN ('gone', 'lost')`;

/**
 * Copies of which an inventory asks the backend for locks: those whose lock holds as far as is
 * known and may be lifted (the look longest ago first), and as many of those that it was the first
 * to tell of. Where there are fewer of the one kind, more of the other.
 */
export async function lockCandidates(
  connection: Connection,
  { backendId, since, now, limit }: LockQuestion,
): Promise<readonly LockCandidate[]> {
  const rows = await connection.rows<{
    object_id: number;
    cid: Uint8Array;
    size: number;
    profile: string;
  }>(toAsk, [backendId, micros(since), micros(now), limit]);
  return rows.map(({ object_id: objectId, cid, ...object }) => ({
    objectId,
    object: { ...object, cid: cidText(cid) },
  }));
}

/** A copy whose backend is asked for a lock on it. */
export interface LockCandidate {
  readonly objectId: number;
  readonly object: ObjectRef;
}

export interface LockQuestion {
  readonly backendId: number;
  /** Copies that the index knows since then are new. */
  readonly since: Date;
  readonly now: Date;
  readonly limit: number;
}

const toAsk = `
  SELECT o.object_id, o.cid, o.size, o.profile FROM (
    SELECT object_id, 0 AS turn, row_number() OVER (ORDER BY seen_at, object_id) AS place
    FROM storage_locks
    WHERE backend_id = $1 AND (legal_hold OR until > make_timestamp($3::BIGINT))
      AND (mode = 'COMPLIANCE' AND until > make_timestamp($3::BIGINT)) IS NOT TRUE
    UNION ALL
    SELECT object_id, 1, row_number() OVER (ORDER BY object_id)
    FROM copies ANTI JOIN storage_locks USING (object_id, backend_id)
    WHERE backend_id = $1 AND state = 'present' AND since = make_timestamp($2::BIGINT)
      AND checked_at = since
  ) JOIN objects AS o USING (object_id)
  ORDER BY place, turn LIMIT $4`;
