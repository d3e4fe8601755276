import { type Connection, micros } from "#index/connection.ts";
import { rangesOf } from "#index/inventories/key-ranges.ts";
import type { InventoryProgress } from "#index/inventories/inventory-progress.ts";
import type { Listing } from "#index/inventories/listing.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import type { Transaction } from "#index/transaction.ts";

/** A range of keys of CIDs, both ends within: what is listed twice is in one of them. */
export interface KeyRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** What of a range is known. */
export interface ResolvedRange {
  /** Copies of objects that the index had when the comparison began. */
  readonly known: number;
  readonly unknown: number;
  /** The id that a new object would have had meanwhile. */
  readonly nextObject: number;
}

/** What tells content that was known from what was not. */
type Begun = Pick<InventoryProgress, "knownBelow" | "keysThrough">;

const groupBits = 52n;

/** Ranges of about so many rows each of the temporary view `listing`. */
export async function keyRanges(
  connection: Connection,
  rowsMax: number,
): Promise<readonly KeyRange[]> {
  const groups = await connection.rows<{ number: number; rows: number }>(
    `SELECT (cid_key >> ${groupBits})::INTEGER AS number, count(*) AS rows
     FROM listing GROUP BY ALL ORDER BY number`,
  );
  return rangesOf(groups, rowsMax).map(({ first, last }) => ({
    first: BigInt(first) << groupBits,
    last: (BigInt(last + 1) << groupBits) - 1n,
  }));
}

/**
 * Makes the temporary view `resolved_range`: each copy that is listed in a range of keys once (the
 * first counts, and the first name), with its object or null.
 */
export async function resolveRange(
  connection: Connection,
  { first, last }: KeyRange,
  begun: Begun,
): Promise<ResolvedRange> {
  const { nextObject } = await connection.row<{ nextObject: number }>(
    `SELECT next_object AS "nextObject" FROM counters`,
  );
  await connection.run(listedRange, [first, last]);
  const { mayRepeat } = await resolveCids(connection, "listed_range");
  await connection.run(mayRepeat ? firstOfEach : each);
  const counts = await connection.row<{ known: number; unknown: number }>(
    `SELECT count(*) FILTER (object_id < $1) AS known,
       count(*) FILTER (${unknown}) AS unknown FROM resolved_range`,
    unknownOf(begun),
  );
  return { ...counts, nextObject };
}

/** Makes the temporary table `piece` of what was unknown in the range; its objects come in. */
export async function takeStrangers(
  transaction: Transaction,
  begun: Begun,
  { nextObject }: ResolvedRange,
  { listing, now }: { readonly listing: Pick<Listing, "backendId" | "asOf">; readonly now: Date },
): Promise<void> {
  // Some of it may have come in by others since.
  const first = transaction.takeIds("object", 0);
  if (first !== nextObject) await resolveCids(transaction, "listed_range");
  const leftToTheEnd = [listing.backendId, micros(listing.asOf)];
  await transaction.run(numberStrangers, [...unknownOf(begun), first, ...leftToTheEnd]);
  const { added } = await transaction.row<{ added: number }>(
    "SELECT count(*) FILTER (added) AS added FROM piece",
  );
  transaction.takeIds("object", added);
  if (added > 0) await transaction.run(insertStrangers, [micros(now)]);
}

/** Makes the same piece without anything coming in. */
export async function showStrangers(connection: Connection, begun: Begun): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE piece AS FROM resolved_range WHERE ${unknown}`,
    unknownOf(begun),
  );
}

const listedRange = `
  CREATE OR REPLACE TEMP TABLE listed_range AS
  FROM listing WHERE cid_key BETWEEN $1 AND $2`;

const each = `
  CREATE OR REPLACE TEMP VIEW resolved_range AS
  SELECT r.object_id, l.* FROM listed_range AS l JOIN listed_range_resolved AS r USING (position)`;

const firstOfEach = `
  CREATE OR REPLACE TEMP VIEW resolved_range AS
  SELECT r.object_id, l.* REPLACE (n.name AS name)
  FROM listed_range AS l JOIN listed_range_resolved AS r USING (position)
  LEFT JOIN (
    SELECT r.first_position AS position, min_by(l.name, l.position) AS name
    FROM listed_range AS l JOIN listed_range_resolved AS r USING (position)
    WHERE l.name IS NOT NULL GROUP BY r.first_position
  ) AS n USING (position)
  WHERE r.position = r.first_position`;

const unknown = `(object_id IS NULL OR object_id >= $1)
  AND ($2::BIGINT IS NULL OR cid_key > $2::BIGINT)`;

function unknownOf({ knownBelow, keysThrough }: Begun): readonly [number, bigint | null] {
  return [knownBelow, keysThrough ?? null];
}

// Ids in the order of the listing; what has no size can be no object. What came in since with a copy
// that was not checked since the listing is compared once, at the end (`KnownRows.arrived`).
const numberStrangers = `
  CREATE OR REPLACE TEMP TABLE piece AS
  SELECT coalesce(object_id, CASE WHEN added
      THEN $3::BIGINT - 1 + row_number() OVER (PARTITION BY added ORDER BY position)
      END)::BIGINT AS object_id, * EXCLUDE (object_id)
  FROM (
    SELECT *, object_id IS NULL AND size IS NOT NULL AS added FROM resolved_range
    WHERE ${unknown} AND (object_id IS NULL OR object_id NOT IN (
      SELECT object_id FROM copies
      WHERE backend_id = $4 AND checked_at < make_timestamp($5::BIGINT) AND object_id >= $1))
  )`;

// The CID tells version and codec: a raw root is the SHA-256 of the bytes, a UnixFS root is
// taken to be of the profile that its version stands for. A verification will tell.
const insertStrangers = `
  INSERT INTO objects
  SELECT object_id, cid_key, cid, size,
    CASE WHEN octet_length(cid) = 34 THEN 'unixfs-v0-2015'
         WHEN hex(cid[2:2]) = '55' THEN 'raw-sha256' ELSE 'unixfs-v1-2025' END,
    NULL, 0, NULL, NULL, NULL, make_timestamp($1::BIGINT), NULL, make_timestamp($1::BIGINT),
    NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, FALSE, NULL, NULL, NULL, 'created'
  FROM piece WHERE added ORDER BY object_id`;
