import { micros } from "#index/connection.ts";
import type { Staged } from "#index/merge-staged.ts";
import { copySummaries } from "#index/summaries.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * Whether the index knows nothing of what is staged, and each object and each copy is staged once:
 * as in most of a first import.
 */
export async function isFresh(transaction: Pick<Transaction, "row">): Promise<boolean> {
  const { objects, copies } = await transaction.row<{ objects: number; copies: number }>(
    `SELECT
       (SELECT count(*) FROM put_objects_resolved
        WHERE object_id IS NOT NULL OR position <> first_position) AS objects,
       (SELECT count(*) - count(DISTINCT object_id * ${backendsMax} + backend_id)
        FROM put_copies) AS copies`,
  );
  return objects === 0 && copies === 0;
}

/** They are the bits of a mask. */
const backendsMax = 64;

/**
 * Adds what is staged as `mergeStaged` does, where it is fresh: nothing is compared with what is
 * known, and every row is written once, with its sums. Rows that are not touched again in their
 * transaction go to the file at once when they are many, not through the log.
 */
export async function insertFresh(
  transaction: Transaction,
  now: Date,
  staged: Staged,
): Promise<{ readonly added: number; readonly copies: number }> {
  const { added, names } = await transaction.row<{ added: number; names: boolean }>(
    `SELECT (SELECT count(*) FROM put_objects) AS added,
       (SELECT count(*) > count(DISTINCT position) FROM put_names) AS names`,
  );
  await transaction.run(freshIds, [transaction.takeIds("object", added)]);
  if (names) await transaction.run(rankNames);
  await transaction.run(names ? severalNames : oneName);
  await transaction.run(insertObjects, [micros(now), staged === "content"]);
  if (names) await transaction.run(insertFurtherNames);
  await transaction.run(insertTags);
  const copies = await transaction.run(insertCopies);
  await transaction.run(addToBackends);
  return { added, copies };
}

const freshIds = `
  CREATE OR REPLACE TEMP TABLE fresh_ids AS
  SELECT position, $1 - 1 + row_number() OVER (ORDER BY position) AS object_id
  FROM put_objects`;

const rankNames = `
  CREATE OR REPLACE TEMP TABLE fresh_ranked_names AS
  SELECT object_id, path, row_number() OVER (PARTITION BY object_id ORDER BY rank) AS rank,
    count(*) OVER (PARTITION BY object_id) AS names
  FROM (
    SELECT i.object_id, n.path, min(n.rank) AS rank
    FROM put_names AS n JOIN fresh_ids AS i USING (position) GROUP BY ALL
  )`;

// Both are views: DuckDB replaces no table by a view, and no view by a table.
const severalNames = "CREATE OR REPLACE TEMP VIEW fresh_names AS FROM fresh_ranked_names";

const oneName = `
  CREATE OR REPLACE TEMP VIEW fresh_names AS
  SELECT i.object_id, n.path, 1 AS rank, 1 AS names
  FROM put_names AS n JOIN fresh_ids AS i USING (position)`;

// A finding with no locator is not a copy, see `applyCopyChanges`.
const copies = `
  SELECT i.object_id, c.backend_id, c.form, c.locator, c.state, c.bytes, c.checked_at,
    c.confidence::confidence AS confidence,
    CASE WHEN c.state = 'present' AND c.confidence = 'verified' THEN c.checked_at END
      AS verified_at,
    NULL::TIMESTAMP AS expires_at
  FROM put_copies AS c JOIN fresh_ids AS i ON i.position = c.object_id
  WHERE c.state <> 'gone' AND c.locator IS NOT NULL`;

const presentCopies = `SELECT * FROM (${copies}) WHERE state = 'present'`;

const insertObjects = `
  INSERT INTO objects
  SELECT i.object_id, p.cid_key, p.cid, p.size, p.profile,
    n.path, coalesce(n.names, 0)::INTEGER, p.type, p.collection, p.owner,
    coalesce(p.created, make_timestamp($1::BIGINT)), p.modified, make_timestamp($1::BIGINT),
    NULL, 0, 0, coalesce(s.present_mask, 0), coalesce(s.listed_mask, 0),
    coalesce(s.sampled_mask, 0), coalesce(s.verified_mask, 0), 0, s.oldest_verified,
    s.nearest_expiry, FALSE, NULL, NULL,
    CASE WHEN n.path IS NULL THEN NULL WHEN $2::BOOLEAN THEN make_timestamp($1::BIGINT)
      WHEN p.created IS NULL OR p.modified > p.created THEN p.modified END,
    CASE WHEN NOT $2::BOOLEAN AND p.created IS NULL THEN 'created' END
  FROM put_objects AS p JOIN fresh_ids AS i USING (position)
  LEFT JOIN (FROM fresh_names WHERE rank = 1) AS n ON n.object_id = i.object_id
  LEFT JOIN (${copySummaries(presentCopies)}) AS s ON s.object_id = i.object_id
  ORDER BY i.object_id`;

const insertFurtherNames = `
  INSERT INTO further_names
  SELECT object_id, path FROM fresh_names WHERE rank > 1 ORDER BY object_id, rank`;

const insertTags = `
  INSERT INTO tags
  SELECT DISTINCT i.object_id, t.tag FROM put_tags AS t JOIN fresh_ids AS i USING (position)
  ORDER BY ALL`;

const insertCopies = `
  INSERT INTO copies
  SELECT object_id, backend_id, form::form, locator, state::copy_state, bytes, confidence,
    checked_at, verified_at, NULL, checked_at
  FROM (${copies}) ORDER BY object_id, backend_id`;

const addToBackends = `
  UPDATE backends SET used_bytes = backends.used_bytes + d.bytes,
    copies = backends.copies + d.copies
  FROM (
    SELECT backend_id, sum(bytes)::BIGINT AS bytes, count(*) AS copies
    FROM (${presentCopies}) GROUP BY backend_id
  ) AS d
  WHERE backends.backend_id = d.backend_id`;
