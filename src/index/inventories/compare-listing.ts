import { applyCopyChanges, copyChangeColumns } from "#index/apply-copies.ts";
import { type Connection, micros } from "#index/connection.ts";
import { openRepairs } from "#index/failures/repair-log.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";
import { applyLocks } from "#index/storage-locks.ts";
import type { DriftReport } from "#model/index-store.ts";

/** A listing of a backend, in the temporary table or view `listing`. */
export interface Listing {
  readonly backend: string;
  readonly backendId: number;
  /** `listing`, or what else it was read from. */
  readonly source: string;
  readonly begunAt: Date;
  /** What the listing tells is as of then: copies that changed since are left as they are. */
  readonly asOf: Date;
  readonly foreign: number;
}

/** Corrects the index by a listing, and keeps what was different. */
export async function correctByListing(
  transaction: Transaction,
  listing: Listing,
  now: Date,
): Promise<DriftReport> {
  const { backend, backendId, source, begunAt, asOf, foreign } = listing;
  await resolveCids(transaction, "listing");
  await addStrangers(transaction, now);
  await transaction.run(nameNameless);
  await transaction.run(compare, [backendId, micros(asOf)]);
  await transaction.stage("copy_changes", copyChangeColumns, []);
  await transaction.run(changes, [backendId, micros(asOf)]);
  await transaction.run(lostCopies, [backendId]);
  await openRepairs(transaction, now);
  await keepDifferences(transaction, backendId);
  await applyCopyChanges(transaction);
  await recordListedLocks(transaction, listing);
  const report = { backend, ...(await countKinds(transaction)) };
  const { differences } = await transaction.row<{ differences: number }>(countDifferences);
  await transaction.run(ledgerOfDrift, [
    transaction.takeIds("entry", differences),
    micros(now),
    backend,
  ]);
  const { listed, confirmed, lost, unexpected, changed } = report;
  await transaction.run(insertInventory, [
    backendId,
    source,
    micros(begunAt),
    micros(now),
    listed,
    confirmed,
    lost,
    unexpected,
    changed,
    foreign,
  ]);
  return report;
}

/** What `correctByListing` would find, without changing anything. */
export async function tryListing(connection: Connection, listing: Listing): Promise<DriftReport> {
  await compareListing(connection, listing);
  return { backend: listing.backend, ...(await countKinds(connection)) };
}

/** Makes the temporary table `compared`. */
export async function compareListing(
  connection: Connection,
  { backendId, asOf }: Listing,
): Promise<void> {
  await resolveCids(connection, "listing");
  await connection.run(compare, [backendId, micros(asOf)]);
}

/** Content that only the backend knew becomes an object when its size is told. */
async function addStrangers(transaction: Transaction, now: Date): Promise<void> {
  await transaction.run(findStrangers);
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM strangers",
  );
  if (count === 0) return;
  const first = transaction.takeIds("object", count);
  await transaction.run(insertStrangers, [first, micros(now)]);
  await transaction.run(resolveStrangers, [first]);
}

/**
 * A listing that tells of no lock proves none: only those that it does tell of are taken over, and
 * not of copies that were checked or made since, whose locks may be others by now.
 */
async function recordListedLocks(
  transaction: Transaction,
  { backendId, asOf }: Listing,
): Promise<void> {
  await transaction.run(listedLocks, [backendId, micros(asOf)]);
  const { locks } = await transaction.row<{ locks: number }>(
    "SELECT count(*) AS locks FROM lock_findings",
  );
  if (locks > 0) await applyLocks(transaction);
}

async function keepDifferences(transaction: Transaction, backendId: number): Promise<void> {
  await transaction.run("DELETE FROM differences WHERE backend_id = $1", [backendId]);
  await transaction.run(insertDifferences, [backendId]);
}

async function countKinds(
  connection: Pick<Connection, "row">,
): Promise<Omit<DriftReport, "backend">> {
  return await connection.row(kinds);
}

const findStrangers = `
  CREATE OR REPLACE TEMP TABLE strangers AS
  SELECT r.position, row_number() OVER (ORDER BY r.position) - 1 AS number
  FROM listing_resolved AS r JOIN listing AS l USING (position)
  WHERE r.object_id IS NULL AND r.position = r.first_position AND l.size IS NOT NULL`;

// The CID tells version and codec: a raw root is the SHA-256 of the bytes, a UnixFS root is
// taken to be of the profile that its version stands for. A verification will tell.
const insertStrangers = `
  INSERT INTO objects
  SELECT $1 + s.number, l.cid_key, l.cid, l.size,
    CASE WHEN octet_length(l.cid) = 34 THEN 'unixfs-v0-2015'
         WHEN hex(l.cid[2:2]) = '55' THEN 'raw-sha256' ELSE 'unixfs-v1-2025' END,
    NULL, 0, NULL, NULL, NULL, make_timestamp($2::BIGINT), NULL, make_timestamp($2::BIGINT),
    NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, FALSE, NULL, NULL, NULL, 'created'
  FROM listing AS l JOIN strangers AS s USING (position)
  ORDER BY l.position`;

const resolveStrangers = `
  CREATE OR REPLACE TEMP TABLE listing_resolved AS
  SELECT r.position, r.first_position,
    coalesce(r.object_id, $1::BIGINT + s.number)::BIGINT AS object_id
  FROM listing_resolved AS r LEFT JOIN strangers AS s ON s.position = r.first_position`;

/** What has no name takes the one that the backend has for it; since when it is called so, nobody knows. */
const nameNameless = `
  UPDATE objects SET path = n.path, names = 1, guessed = coalesce(objects.guessed, 'named')
  FROM (
    SELECT r.object_id, min_by(l.name, l.position) AS path
    FROM listing AS l JOIN listing_resolved AS r USING (position)
    WHERE l.name IS NOT NULL AND r.object_id IS NOT NULL GROUP BY r.object_id
  ) AS n
  WHERE objects.object_id = n.object_id AND objects.path IS NULL`;

/**
 * Each copy, listed or believed, with what the comparison says of it. Nobody measured the bytes of
 * a claimed copy, and 0 is what storage says that does not know them: only of plain files is it
 * known what they must be.
 */
const compare = `
  CREATE OR REPLACE TEMP TABLE compared AS
  SELECT coalesce(l.object_id, c.object_id) AS object_id, l.cid, l.locator, l.form, l.bytes,
    c.locator AS believed_locator, c.form::VARCHAR AS believed_form, c.bytes AS believed_bytes,
    c.state AS believed_state, l.position IS NOT NULL AS listed,
    CASE
      WHEN c.checked_at >= make_timestamp($2::BIGINT) THEN 'newer'
      WHEN l.position IS NOT NULL AND c.object_id IS NULL
        AND l.object_id IN (SELECT object_id FROM permits
          WHERE backend_id = $1 AND state = 'done' AND ended_at >= make_timestamp($2::BIGINT))
        THEN 'newer'
      WHEN l.position IS NULL AND c.object_id IN (SELECT object_id FROM permits
          WHERE backend_id = $1 AND state IN ('open', 'unknown')) THEN 'newer'
      WHEN l.position IS NULL THEN 'lost'
      WHEN c.object_id IS NULL THEN 'unexpected'
      WHEN c.state = 'corrupt' THEN 'corrupt'
      WHEN c.state = 'lost' OR c.form <> l.form::form THEN 'changed'
      WHEN c.bytes <> l.bytes AND l.form <> 'file' AND (c.confidence = 'claimed' OR c.bytes = 0)
        THEN 'changed'
      WHEN c.bytes <> l.bytes THEN 'damaged'
      ELSE 'confirmed' END AS kind
  FROM (
    SELECT r.object_id, l.* FROM listing AS l JOIN listing_resolved AS r USING (position)
    WHERE r.position = r.first_position
  ) AS l
  FULL JOIN (FROM copies WHERE backend_id = $1) AS c ON c.object_id = l.object_id
  WHERE l.position IS NOT NULL OR c.state = 'present'`;

const changes = `
  INSERT INTO copy_changes
  SELECT row_number() OVER (), object_id, $1,
    CASE kind WHEN 'lost' THEN 'lost' WHEN 'damaged' THEN 'corrupt' ELSE 'present' END,
    'listed', make_timestamp($2::BIGINT), form, locator, bytes
  FROM compared
  WHERE object_id IS NOT NULL AND kind NOT IN ('newer', 'corrupt')`;

const lostCopies = `
  CREATE OR REPLACE TEMP TABLE lost_copies AS
  SELECT object_id, $1::INTEGER AS backend_id,
    CASE kind WHEN 'lost' THEN 'lost' ELSE 'corrupt' END AS state
  FROM compared WHERE object_id IS NOT NULL AND kind IN ('lost', 'damaged')`;

const listedLocks = `
  CREATE OR REPLACE TEMP TABLE lock_findings AS
  SELECT r.object_id, $1::INTEGER AS backend_id, l.legal_hold, l.lock_until AS until,
    l.lock_mode AS mode, make_timestamp($2::BIGINT) AS seen_at
  FROM listing AS l JOIN listing_resolved AS r USING (position)
  ANTI JOIN (FROM compared WHERE kind = 'newer') AS c ON c.object_id = r.object_id
  WHERE l.legal_hold IS NOT NULL AND r.object_id IS NOT NULL
    AND r.position = r.first_position`;

const insertDifferences = `
  INSERT INTO differences
  SELECT $1::INTEGER, CASE WHEN kind IN ('damaged', 'corrupt') THEN 'changed' ELSE kind END,
    CASE WHEN kind = 'damaged' THEN 'size' WHEN kind = 'corrupt' THEN 'corrupt'
      WHEN kind <> 'changed' THEN NULL
      WHEN believed_state = 'lost' THEN 'returned'
      WHEN c.form <> believed_form THEN 'form' ELSE 'size' END,
    c.object_id, coalesce(c.cid, o.cid), coalesce(c.locator, c.believed_locator),
    coalesce(c.form, c.believed_form), c.bytes, c.believed_bytes
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

const insertInventory = `
  INSERT INTO inventories
  SELECT coalesce(max(inventory_id), 0) + 1, $1, $2, make_timestamp($3::BIGINT),
    make_timestamp($4::BIGINT), $5, $6, $7, $8, $9, $10
  FROM inventories`;

const kinds = `
  SELECT count(*) FILTER (WHERE listed) AS listed,
    count(*) FILTER (WHERE kind IN ('confirmed', 'newer') AND listed) AS confirmed,
    count(*) FILTER (WHERE kind = 'lost') AS lost,
    count(*) FILTER (WHERE kind = 'unexpected') AS unexpected,
    count(*) FILTER (WHERE kind IN ('changed', 'damaged', 'corrupt')) AS changed
  FROM compared`;
