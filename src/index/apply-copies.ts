import type { StageType, StageValue } from "#index/connection.ts";
import { endLeases } from "#index/leases.ts";
import { forgetLocks } from "#index/storage-locks.ts";
import { addToSummaries, refreshSummaries } from "#index/summaries.ts";
import type { Transaction } from "#index/transaction.ts";
import type { Confidence, CopyState, Form } from "#model/copy.ts";

/** What is now known of one copy. Fields left out stay as they were. */
export interface CopyChange {
  readonly objectId: number;
  readonly backendId: number;
  /** `gone`: the row is removed, because the copy was. */
  readonly state: CopyState | "gone";
  readonly confidence: Confidence;
  readonly checkedAt: Date;
  readonly form?: Form;
  readonly locator?: string;
  readonly bytes?: number;
}

/** Columns of a table of copy changes, `position` giving the order of arrival. */
export const copyChangeColumns: Readonly<Record<string, StageType>> = {
  position: "BIGINT",
  object_id: "BIGINT",
  backend_id: "INTEGER",
  state: "VARCHAR",
  confidence: "VARCHAR",
  checked_at: "TIMESTAMP",
  form: "VARCHAR",
  locator: "VARCHAR",
  bytes: "BIGINT",
};

/** One change as a row of `copyChangeColumns`. */
export function copyChangeRow(change: CopyChange, position: number): readonly StageValue[] {
  const { objectId, backendId, state, confidence, checkedAt, form, locator, bytes } = change;
  return [position, objectId, backendId, state, confidence, checkedAt, form, locator, bytes];
}

/** Stages and applies a list of changes. */
export async function changeCopies(
  transaction: Transaction,
  changes: readonly CopyChange[],
): Promise<number> {
  if (changes.length === 0) return 0;
  const copies = new Set(changes.map(({ objectId, backendId }) => `${objectId} ${backendId}`));
  const once = copies.size === changes.length;
  const table = once ? "last_changes" : "copy_changes";
  await transaction.stage(table, copyChangeColumns, changes.map(copyChangeRow));
  return once ? await applyLastChanges(transaction) : await applyCopyChanges(transaction);
}

/**
 * The one place where copies are written: applies the temporary table `copy_changes`, keeps the
 * totals of the backends and the summaries on the objects. Says how many copies are new.
 *
 * A present copy that was known as present keeps its better confidence and its newest
 * verification; any other finding replaces what was believed. So does one in another form, or of
 * a file in another place: these are other bytes, which nobody has hashed. Only a full verification
 * makes a corrupt copy good again: seeing that something is there does not. A check that is told
 * late, of before the copy was found corrupt or lost, makes nothing good either. Of several findings
 * about one copy the bad ones count, then the surest, then the last.
 */
export async function applyCopyChanges(transaction: Transaction): Promise<number> {
  await transaction.run(whatCounts);
  return await applyLastChanges(transaction);
}

/**
 * Applies the temporary table `last_changes`, which has each copy once; what only confirms what is
 * known of a copy is taken out of it.
 */
export async function applyLastChanges(transaction: Transaction): Promise<number> {
  await transaction.run(copiesBefore);
  const { known, confirmed } = await transaction.row<{ known: number; confirmed: number }>(
    `SELECT count(*) FILTER (NOT confirmed) AS known, count(*) FILTER (confirmed) AS confirmed
     FROM copies_before`,
  );
  if (confirmed > 0) {
    await transaction.run(checkConfirmed);
    await transaction.run(leaveUnconfirmed);
  }
  if (known > 0) {
    await transaction.run(deleteGone);
    await transaction.run(updateKnown);
    await forgetLocks(transaction);
  }
  await endLeases(transaction);
  const added = await transaction.run(insertNew);
  if (known > 0) {
    await transaction.run(updateBackendTotals);
    await refreshSummaries(transaction, "last_changes");
  } else {
    // As most copies that are made: nothing that is summed up has changed or gone.
    await transaction.run(addToBackendTotals);
    await addToSummaries(transaction);
  }
  return added;
}

const whatCounts = `
  CREATE OR REPLACE TEMP TABLE last_changes AS
  SELECT * FROM copy_changes
  QUALIFY row_number() OVER (PARTITION BY object_id, backend_id
    ORDER BY state <> 'present' DESC, confidence::confidence DESC, position DESC) = 1`;

/**
 * What is known of these copies, and whether a finding only confirms it: then nothing changes but when
 * the copy was checked, as most copies of an inventory, of which no other column is written.
 */
const copiesBefore = `
  CREATE OR REPLACE TEMP TABLE copies_before AS
  SELECT c.object_id, c.backend_id, c.bytes, c.state,
    n.state = 'present' AND c.state = 'present' AND n.confidence <> 'verified'
      AND c.confidence >= n.confidence::confidence
      AND (n.form IS NULL OR c.form = n.form::form)
      AND (n.locator IS NULL OR c.locator = n.locator)
      AND (n.bytes IS NULL OR c.bytes = n.bytes) AS confirmed
  FROM copies AS c JOIN last_changes AS n USING (object_id, backend_id)`;

const checkConfirmed = `
  UPDATE copies SET checked_at = n.checked_at
  FROM (SELECT n.object_id, n.backend_id, n.checked_at FROM last_changes AS n
    JOIN copies_before AS b USING (object_id, backend_id) WHERE b.confirmed) AS n
  WHERE copies.object_id = n.object_id AND copies.backend_id = n.backend_id`;

const leaveUnconfirmed = `
  CREATE OR REPLACE TEMP TABLE last_changes AS
  SELECT n.* FROM last_changes AS n
  ANTI JOIN (FROM copies_before WHERE confirmed) AS b USING (object_id, backend_id)`;

const deleteGone = `
  DELETE FROM copies USING last_changes AS n
  WHERE copies.object_id = n.object_id AND copies.backend_id = n.backend_id
    AND n.state = 'gone'`;

const verifiedAt = "CASE WHEN n.confidence = 'verified' THEN n.checked_at END";

// Content that is named by its CID ('dag') is the same under another name.
const sameBytes = `(coalesce(n.form::form, copies.form) = copies.form
  AND (copies.form = 'dag' OR coalesce(n.locator, copies.locator) = copies.locator))`;

const updateKnown = `
  UPDATE copies SET
    form = coalesce(n.form::form, copies.form),
    locator = coalesce(n.locator, copies.locator),
    bytes = coalesce(n.bytes, copies.bytes),
    state = n.state::copy_state,
    confidence = CASE
      WHEN n.state = 'present' AND copies.state = 'present' AND ${sameBytes}
        AND copies.confidence > n.confidence::confidence THEN copies.confidence
      ELSE n.confidence::confidence END,
    checked_at = n.checked_at,
    since = CASE WHEN n.state = 'present' AND copies.state <> 'present' THEN n.checked_at
      ELSE copies.since END,
    verified_at = CASE
      WHEN n.state <> 'present' THEN NULL
      WHEN copies.state = 'present' AND ${sameBytes} THEN greatest(copies.verified_at, ${verifiedAt})
      ELSE ${verifiedAt} END
  FROM last_changes AS n
  WHERE copies.object_id = n.object_id AND copies.backend_id = n.backend_id
    AND n.state <> 'gone'
    AND NOT (copies.state = 'corrupt' AND n.state = 'present' AND n.confidence <> 'verified')
    AND NOT (copies.state <> 'present' AND n.state = 'present'
      AND n.checked_at < copies.checked_at)`;

// A finding about a copy that the index does not know, with no locator, is not a copy.
const insertNew = `
  INSERT INTO copies
  SELECT n.object_id, n.backend_id, n.form::form, n.locator, n.state::copy_state, n.bytes,
    n.confidence::confidence, n.checked_at,
    CASE WHEN n.state = 'present' THEN ${verifiedAt} END, NULL,
    n.checked_at
  FROM last_changes AS n ANTI JOIN copies_before AS b USING (object_id, backend_id)
  WHERE n.state <> 'gone' AND n.locator IS NOT NULL
  ORDER BY n.object_id, n.backend_id`;

const updateBackendTotals = `
  UPDATE backends SET used_bytes = backends.used_bytes + d.bytes,
    copies = backends.copies + d.copies
  FROM (
    SELECT backend_id, sum(bytes)::BIGINT AS bytes, sum(copies)::BIGINT AS copies FROM (
      SELECT backend_id, -bytes AS bytes, -1 AS copies FROM copies_before
      WHERE state = 'present' AND NOT confirmed
      UNION ALL
      SELECT c.backend_id, c.bytes, 1
      FROM copies AS c JOIN last_changes USING (object_id, backend_id)
      WHERE c.state = 'present'
    ) GROUP BY backend_id
  ) AS d
  WHERE backends.backend_id = d.backend_id`;

const addToBackendTotals = `
  UPDATE backends SET used_bytes = backends.used_bytes + d.bytes,
    copies = backends.copies + d.copies
  FROM (
    SELECT backend_id, sum(bytes)::BIGINT AS bytes, count(*) AS copies
    FROM last_changes WHERE state = 'present' AND locator IS NOT NULL GROUP BY backend_id
  ) AS d
  WHERE backends.backend_id = d.backend_id`;
