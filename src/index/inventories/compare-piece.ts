import { applyLastChanges } from "#index/apply-copies.ts";
import { type Connection, micros } from "#index/connection.ts";
import { openRepairs } from "#index/failures/repair-log.ts";
import type { DriftCounts } from "#index/inventories/inventory-progress.ts";
import type { Listing } from "#index/inventories/listing.ts";
import { applyLocks } from "#index/storage-locks.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";
import type { SqlValue } from "#model/sql.ts";

/** A condition on rows of `copies`: those that a piece is about. $1 is the backend, $2 of when the listing is, and its own parameters begin at $4. */
export interface Believed {
  readonly condition: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * Holds listed copies, each object's once, in the temporary table `piece`, against those that are
 * believed: makes the temporary table `compared` and counts what it says.
 */
export async function comparePiece(
  connection: Pick<Connection, "run" | "row">,
  { backendId, asOf, doubtSince }: Pick<Listing, "backendId" | "asOf" | "doubtSince">,
  { condition, parameters }: Believed,
): Promise<DriftCounts> {
  const times = [micros(asOf), micros(doubtSince)];
  await connection.run(compare(condition), [backendId, ...times, ...parameters]);
  return await connection.row(kinds);
}

/** Corrects the index by a piece of a listing, and keeps what was different. */
export async function correctByPiece(
  transaction: Transaction,
  listing: Listing,
  believed: Believed,
  { inventoryId, now }: { readonly inventoryId: number; readonly now: Date },
): Promise<DriftCounts> {
  const { backend, backendId, asOf } = listing;
  const { named, locked } = await transaction.row<{ named: boolean; locked: boolean }>(whatIsTold);
  if (named) await transaction.run(nameNameless);
  const counts = await comparePiece(transaction, listing, believed);
  await transaction.run(lostCopies, [backendId]);
  await openRepairs(transaction, now);
  await transaction.run(insertDifferences, [backendId, inventoryId]);
  await transaction.run(changes, [backendId, micros(asOf)]);
  await applyLastChanges(transaction);
  if (locked) {
    await transaction.run(listedLocks, [backendId, micros(asOf)]);
    await applyLocks(transaction);
  }
  const { differences } = await transaction.row<{ differences: number }>(countDifferences);
  if (differences > 0) {
    const first = transaction.takeIds("entry", differences);
    await transaction.run(ledgerOfDrift, [first, micros(now), backend]);
  }
  return counts;
}

const whatIsTold = `
  SELECT coalesce(bool_or(name IS NOT NULL), FALSE) AS named,
    coalesce(bool_or(legal_hold IS NOT NULL), FALSE) AS locked
  FROM piece WHERE object_id IS NOT NULL`;

/** What has no name takes the one that the backend has for it; since when it is called so, nobody knows. */
const nameNameless = `
  UPDATE objects SET path = n.name, names = 1, guessed = coalesce(objects.guessed, 'named')
  FROM (FROM piece WHERE name IS NOT NULL AND object_id IS NOT NULL) AS n
  WHERE objects.object_id = n.object_id AND objects.path IS NULL`;

/**
 * Each copy, listed or believed, with what the comparison says of it. Nobody measured the bytes of
 * a claimed copy, and 0 is what storage says that does not know them: only of plain files is it
 * known what they must be. What came in after the backend was asked, and would have to be asked
 * about, is left to the next inventory.
 */
const compare = (condition: string): string => `
  CREATE OR REPLACE TEMP TABLE compared AS
  SELECT * REPLACE (
    CASE WHEN kind IN ('lost', 'changed', 'damaged')
      AND believed_checked_at >= make_timestamp($3::BIGINT)
      AND object_id NOT IN (SELECT object_id FROM asked) THEN 'newer' ELSE kind END AS kind)
  FROM (${kindOf(condition)})`;

const kindOf = (condition: string): string => `
  SELECT coalesce(l.object_id, c.object_id) AS object_id, l.cid, l.locator, l.form, l.bytes,
    c.locator AS believed_locator, c.form::VARCHAR AS believed_form, c.bytes AS believed_bytes,
    c.state AS believed_state, c.checked_at AS believed_checked_at, l.listed IS NOT NULL AS listed,
    CASE
      WHEN c.checked_at >= make_timestamp($2::BIGINT) THEN 'newer'
      WHEN l.listed AND c.object_id IS NULL
        AND l.object_id IN (SELECT object_id FROM permits
          WHERE backend_id = $1 AND state = 'done' AND ended_at >= make_timestamp($2::BIGINT))
        THEN 'newer'
      WHEN l.listed IS NULL AND c.object_id IN (SELECT object_id FROM permits
          WHERE backend_id = $1 AND state IN ('open', 'unknown')) THEN 'newer'
      WHEN l.listed IS NULL THEN 'lost'
      WHEN c.object_id IS NULL THEN 'unexpected'
      WHEN c.state = 'corrupt' THEN 'corrupt'
      WHEN c.state = 'lost' OR c.form <> l.form::form THEN 'changed'
      WHEN c.bytes <> l.bytes AND l.form <> 'file' AND (c.confidence = 'claimed' OR c.bytes = 0)
        THEN 'changed'
      WHEN c.bytes <> l.bytes THEN 'damaged'
      ELSE 'confirmed' END AS kind
  FROM (SELECT *, TRUE AS listed FROM piece) AS l
  FULL JOIN (FROM copies WHERE backend_id = $1 AND ${condition}) AS c
    ON c.object_id = l.object_id
  WHERE l.listed OR c.state = 'present'`;

const changes = `
  CREATE OR REPLACE TEMP TABLE last_changes AS
  SELECT 0::BIGINT AS position, object_id, $1::INTEGER AS backend_id,
    CASE kind WHEN 'lost' THEN 'lost' WHEN 'damaged' THEN 'corrupt' ELSE 'present' END AS state,
    'listed' AS confidence, make_timestamp($2::BIGINT) AS checked_at, form, locator, bytes
  FROM compared
  WHERE object_id IS NOT NULL AND kind NOT IN ('newer', 'corrupt')`;

const lostCopies = `
  CREATE OR REPLACE TEMP TABLE lost_copies AS
  SELECT object_id, $1::INTEGER AS backend_id,
    CASE kind WHEN 'lost' THEN 'lost' ELSE 'corrupt' END AS state
  FROM compared WHERE object_id IS NOT NULL AND kind IN ('lost', 'damaged')`;

/**
 * A listing that tells of no lock proves none: only those that it does tell of are taken over, and
 * not of copies that were checked or made since, whose locks may be others by now.
 */
const listedLocks = `
  CREATE OR REPLACE TEMP TABLE lock_findings AS
  SELECT l.object_id, $1::INTEGER AS backend_id, l.legal_hold, l.lock_until AS until,
    l.lock_mode AS mode, make_timestamp($2::BIGINT) AS seen_at
  FROM piece AS l
  ANTI JOIN (FROM compared WHERE kind = 'newer') AS c ON c.object_id = l.object_id
  WHERE l.legal_hold IS NOT NULL AND l.object_id IS NOT NULL`;

const insertDifferences = `
  INSERT INTO differences
  SELECT $1::INTEGER, CASE WHEN kind IN ('damaged', 'corrupt') THEN 'changed' ELSE kind END,
    CASE WHEN kind = 'damaged' THEN 'size' WHEN kind = 'corrupt' THEN 'corrupt'
      WHEN kind <> 'changed' THEN NULL
      WHEN believed_state = 'lost' THEN 'returned'
      WHEN c.form <> believed_form THEN 'form' ELSE 'size' END,
    c.object_id, coalesce(c.cid, o.cid), coalesce(c.locator, c.believed_locator),
    coalesce(c.form, c.believed_form), c.bytes, c.believed_bytes, $2::BIGINT
  FROM compared AS c LEFT JOIN objects AS o ON o.object_id = c.object_id
  WHERE kind NOT IN ('confirmed', 'newer')
  ORDER BY c.object_id, hex(c.cid)`;

const countDifferences = `
  SELECT count(*) AS differences FROM compared
  WHERE kind NOT IN ('confirmed', 'newer', 'corrupt')`;

const ledgerOfDrift = `
  INSERT INTO ledger_entries (${ledgerColumns})
  SELECT $1 - 1 + row_number() OVER (ORDER BY object_id, hex(cid)), make_timestamp($2::BIGINT),
    'drift', NULL, NULL, NULL, object_id, NULL, kind, json_object('backend', $3)
  FROM compared WHERE kind NOT IN ('confirmed', 'newer', 'corrupt')`;

const kinds = `
  SELECT count(*) FILTER (WHERE listed) AS listed,
    count(*) FILTER (WHERE kind IN ('confirmed', 'newer') AND listed) AS confirmed,
    count(*) FILTER (WHERE kind = 'lost') AS lost,
    count(*) FILTER (WHERE kind = 'unexpected') AS unexpected,
    count(*) FILTER (WHERE kind IN ('changed', 'damaged', 'corrupt')) AS changed
  FROM compared`;
