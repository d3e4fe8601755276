import { applyCopyChanges } from "#index/apply-copies.ts";
import { micros } from "#index/connection.ts";
import { insertFresh, isFresh } from "#index/insert-fresh.ts";
import type { Transaction } from "#index/transaction.ts";

/**
 * Adds what is staged and merges it with what is known: the temporary tables `put_objects`
 * (resolved, see `resolveCids`), `put_names`, `put_tags` and `put_copies`, whose rows name the
 * object by its position. Content comes in now; a list tells of what came in at times of its own.
 */
export async function mergeStaged(
  transaction: Transaction,
  now: Date,
  staged: Staged,
): Promise<{ readonly added: number; readonly copies: number }> {
  if (await isFresh(transaction)) return await insertFresh(transaction, now, staged);
  const added = await addObjects(transaction, now, staged);
  await transaction.run(mergeKnown);
  await transaction.run(noteNamed, [micros(now), staged === "content"]);
  await transaction.run(noteCreated, [micros(now), staged === "content"]);
  await transaction.run(mergeTags);
  await transaction.run(stageCopyChanges);
  await transaction.run(liftMarks);
  return { added, copies: await applyCopyChanges(transaction) };
}

/** Content that is handed in, or what somebody says of content. */
export type Staged = "content" | "list";

/** Gives ids to what is new, in order of arrival, and inserts it. */
async function addObjects(transaction: Transaction, now: Date, staged: Staged): Promise<number> {
  const { added } = await transaction.row<{ added: number }>(
    `SELECT count(DISTINCT first_position) AS added FROM put_objects_resolved
     WHERE object_id IS NULL`,
  );
  const first = transaction.takeIds("object", added);
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE put_ids AS
     SELECT position, first_position, object_id IS NULL AS added,
       coalesce(object_id, $1::BIGINT - 1
         + dense_rank() OVER (PARTITION BY object_id IS NULL ORDER BY first_position))::BIGINT
         AS object_id
     FROM put_objects_resolved`,
    [first],
  );
  for (const statement of rankNames) await transaction.run(statement);
  await transaction.run(insertObjects, [micros(now), staged === "content"]);
  await transaction.run(insertFurtherNames);
  await transaction.run(updateNameCounts);
  return added;
}

/** Names that are new to their object; `rank` 1 is the first, `free` that it has none yet. */
const rankNames = [
  `CREATE OR REPLACE TEMP TABLE put_named AS
   SELECT i.object_id, n.path, i.added, min(n.rank) AS rank
   FROM put_names AS n JOIN put_ids AS i USING (position) GROUP BY ALL`,
  `CREATE OR REPLACE TEMP TABLE put_known_paths AS
   SELECT object_id, path FROM objects
   WHERE object_id IN (SELECT object_id FROM put_named WHERE NOT added)`,
  `CREATE OR REPLACE TEMP TABLE put_new_names AS
   SELECT n.object_id, n.path, n.added,
     row_number() OVER (PARTITION BY n.object_id ORDER BY n.rank) AS rank,
     k.path IS NULL AS free
   FROM put_named AS n LEFT JOIN put_known_paths AS k USING (object_id)
   ANTI JOIN further_names AS f ON f.object_id = n.object_id AND f.path = n.path
   WHERE n.path IS DISTINCT FROM k.path`,
];

const insertObjects = `
  INSERT INTO objects
  SELECT i.object_id, p.cid_key, p.cid, p.size, p.profile,
    n.path, coalesce(n.names, 0)::INTEGER, p.type, p.collection, p.owner,
    coalesce(p.created, make_timestamp($1::BIGINT)), p.modified, make_timestamp($1::BIGINT),
    NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, FALSE, NULL, NULL,
    CASE WHEN n.path IS NOT NULL AND $2::BOOLEAN THEN make_timestamp($1::BIGINT) END,
    CASE WHEN NOT $2::BOOLEAN AND p.created IS NULL THEN 'created' END
  FROM put_objects AS p JOIN put_ids AS i USING (position)
  LEFT JOIN (
    SELECT object_id, min_by(path, rank) AS path, count(*) AS names
    FROM put_new_names GROUP BY object_id
  ) AS n ON n.object_id = i.object_id
  WHERE i.added AND i.position = i.first_position
  ORDER BY i.object_id`;

const insertFurtherNames = `
  INSERT INTO further_names
  SELECT object_id, path FROM put_new_names WHERE rank > 1 OR NOT free
  ORDER BY object_id, rank`;

const updateNameCounts = `
  UPDATE objects SET names = objects.names + n.names, path = coalesce(objects.path, n.path)
  FROM (
    SELECT object_id, min_by(path, rank) AS path, count(*)::INTEGER AS names
    FROM put_new_names WHERE NOT added GROUP BY object_id
  ) AS n
  WHERE objects.object_id = n.object_id`;

/** Facts that were missing are filled in; facts that are there stay. */
const mergeKnown = `
  UPDATE objects SET
    type = coalesce(objects.type, p.type),
    collection = coalesce(objects.collection, p.collection),
    owner = coalesce(objects.owner, p.owner),
    modified = coalesce(objects.modified, p.modified)
  FROM (
    SELECT i.object_id, min_by(p.type, p.position) AS type,
      min_by(p.collection, p.position) AS collection, min_by(p.owner, p.position) AS owner,
      min_by(p.modified, p.position) AS modified
    FROM put_objects AS p JOIN put_ids AS i USING (position)
    WHERE NOT i.added OR i.position <> i.first_position
    GROUP BY i.object_id
  ) AS p
  WHERE objects.object_id = p.object_id
    AND ((objects.type IS NULL AND p.type IS NOT NULL)
      OR (objects.collection IS NULL AND p.collection IS NOT NULL)
      OR (objects.owner IS NULL AND p.owner IS NOT NULL)
      OR (objects.modified IS NULL AND p.modified IS NOT NULL))`;

// What is handed in under its first name, or gets it now, is what that name stands for. All that a
// list says of it counts, wherever the list was cut into pieces, and however often it is told.
const noteNamed = `
  UPDATE objects SET named = c.named
  FROM (
    SELECT i.object_id, CASE WHEN $2::BOOLEAN THEN make_timestamp($1::BIGINT)
      ELSE max(greatest(p.created, p.modified)) END AS named
    FROM put_names AS n JOIN put_ids AS i USING (position) JOIN put_objects AS p USING (position)
    JOIN objects AS o ON o.object_id = i.object_id AND o.path = n.path
    GROUP BY i.object_id
  ) AS c
  WHERE objects.object_id = c.object_id
    AND c.named > CASE WHEN objects.guessed IS NULL THEN greatest(objects.created, objects.named)
      ELSE coalesce(objects.named, '-infinity') END`;

// A time that was a guess gives way to the first one that is known.
const noteCreated = `
  UPDATE objects SET created = c.created,
    guessed = CASE WHEN objects.path IS NOT NULL AND objects.named IS NULL THEN 'named' END
  FROM (
    SELECT i.object_id,
      coalesce(min_by(p.created, p.position),
        CASE WHEN $2::BOOLEAN THEN make_timestamp($1::BIGINT) END) AS created
    FROM put_objects AS p JOIN put_ids AS i USING (position)
    WHERE NOT i.added OR i.position <> i.first_position GROUP BY i.object_id
  ) AS c
  WHERE objects.object_id = c.object_id AND objects.guessed = 'created' AND c.created IS NOT NULL`;

const mergeTags = `
  INSERT INTO tags
  SELECT DISTINCT i.object_id, t.tag FROM put_tags AS t JOIN put_ids AS i USING (position)
  WHERE NOT EXISTS (FROM tags AS k WHERE k.object_id = i.object_id AND k.tag = t.tag)
  ORDER BY ALL`;

// put_copies has the position of its object where copy_changes has the object's id.
const stageCopyChanges = `
  CREATE OR REPLACE TEMP TABLE copy_changes AS
  SELECT c.* REPLACE (i.object_id AS object_id)
  FROM put_copies AS c JOIN put_ids AS i ON i.position = c.object_id`;

// Content that is handed in again is wanted: it is no remnant to be deleted because the grace of
// an old mark is over. When a rule selects it again, it gets a new grace.
const liftMarks = `
  UPDATE objects SET tombstoned = NULL
  FROM (SELECT DISTINCT object_id FROM copy_changes WHERE state = 'present') AS c
  WHERE objects.object_id = c.object_id AND objects.tombstoned IS NOT NULL`;
