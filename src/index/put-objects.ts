import { applyCopyChanges, copyChangeColumns } from "#index/apply-copies.ts";
import { backendIds, requireBackend } from "#index/backends.ts";
import { cidKey, cidText } from "#index/cid-key.ts";
import { micros, type StageValue } from "#index/connection.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import { permitMarginMs } from "#model/removal.ts";
import type { BeingDeleted, NewObject, PutSummary } from "#model/index-store.ts";

/**
 * Adds objects with their names, tags and copies; merges with what is known. Content whose copy
 * a deletion may still take away is left out: it would be called safe and be gone a moment later.
 */
export async function putObjects(
  transaction: Transaction,
  objects: readonly NewObject[],
  now: Date,
  clockSkewMs: number,
): Promise<PutSummary> {
  if (objects.length === 0) return { added: 0, known: 0, copies: 0, beingDeleted: [] };
  await stageObjects(transaction, objects);
  await resolveCids(transaction, "put_objects");
  await refuseOtherSizes(transaction);
  const beingDeleted = await findBeingDeleted(transaction, now, permitMarginMs(clockSkewMs));
  if (beingDeleted.length > 0) {
    const found = new Map(beingDeleted.map((one) => [one.cid, one]));
    const ofObject = ({ cid }: NewObject) => found.get(cidText(cidKey(cid).bytes));
    const rest = objects.filter((object) => ofObject(object) === undefined);
    const leftOut = objects.flatMap((object) => {
      const one = ofObject(object);
      return one === undefined ? [] : [{ ...one, cid: object.cid }];
    });
    return { ...(await putObjects(transaction, rest, now, clockSkewMs)), beingDeleted: leftOut };
  }
  const added = await addObjects(transaction, now);
  await transaction.run(mergeKnown);
  await transaction.run(mergeTags);
  await transaction.run(stageCopyChanges);
  await transaction.run(liftMarks);
  const copies = await applyCopyChanges(transaction);
  return { added, known: objects.length - added, copies, beingDeleted };
}

async function stageObjects(
  transaction: Transaction,
  objects: readonly NewObject[],
): Promise<void> {
  const ids = await backendIds(transaction.connection);
  const names: StageValue[][] = [];
  const tags: StageValue[][] = [];
  const copies: StageValue[][] = [];
  const rows = objects.map((object, position) => {
    const { bytes, key } = cidKey(object.cid);
    for (const path of object.names) names.push([position, names.length, path]);
    for (const tag of object.tags) tags.push([position, tag]);
    for (const { backend, copy, state, confidence, checkedAt } of object.copies) {
      const id = requireBackend(ids, backend);
      const stored = [copy.form, copy.locator, copy.bytes];
      copies.push([copies.length, position, id, state, confidence, checkedAt, ...stored]);
    }
    const { size, profile, type, collection, owner, created, modified } = object;
    return [position, key, bytes, size, profile, type, collection, owner, created, modified];
  });
  await transaction.stage("put_objects", putColumns, rows);
  await transaction.stage("put_names", nameColumns, names);
  await transaction.stage("put_tags", { position: "BIGINT", tag: "VARCHAR" }, tags);
  await transaction.stage("put_copies", copyChangeColumns, copies);
}

/** Staged copies at places from which a permit that may still be in use deletes them. */
async function findBeingDeleted(
  transaction: Transaction,
  now: Date,
  marginMs: number,
): Promise<readonly BeingDeleted[]> {
  const rows = await transaction.rows<{
    cid: Uint8Array;
    backend: string;
    permit_id: string;
    expires_at: Date;
  }>(
    `SELECT p.cid, b.name AS backend, max_by(m.permit_id, m.expires_at) AS permit_id,
       max(m.expires_at) AS expires_at
     FROM permits AS m JOIN put_objects_resolved AS r USING (object_id)
     JOIN put_objects AS p USING (position)
     JOIN put_copies AS c ON c.object_id = p.position AND c.backend_id = m.backend_id
     JOIN backends AS b ON b.backend_id = m.backend_id
     WHERE m.authority = 'delete' AND c.state = 'present'
       AND (m.state IN ('open', 'unknown') OR m.expires_at > make_timestamp($1::BIGINT))
     GROUP BY p.cid, b.name ORDER BY ALL`,
    [micros(new Date(now.getTime() - marginMs))],
  );
  return rows.map(({ cid, backend, permit_id, expires_at }) => ({
    cid: cidText(cid),
    backend,
    permitId: permit_id,
    until: new Date(expires_at.getTime() + marginMs),
  }));
}

async function refuseOtherSizes(transaction: Transaction): Promise<void> {
  const [row] = await transaction.rows<{ cid: Uint8Array; stored: number; given: number }>(
    `SELECT p.cid, coalesce(o.size, f.size) AS stored, p.size AS given
     FROM put_objects AS p JOIN put_objects_resolved AS r USING (position)
     JOIN put_objects AS f ON f.position = r.first_position
     LEFT JOIN objects AS o ON o.object_id = r.object_id
     WHERE p.size <> coalesce(o.size, f.size) LIMIT 1`,
  );
  if (row === undefined) return;
  throw new EngineError(
    "CONFLICT",
    `${cidText(row.cid)} has ${row.stored} bytes in the index, ${row.given} were given`,
    { retryable: false, hint: "one of the two was addressed wrongly: hash the content again" },
  );
}

/** Gives ids to what is new, in order of arrival, and inserts it. */
async function addObjects(transaction: Transaction, now: Date): Promise<number> {
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
  await transaction.run(insertObjects, [micros(now)]);
  await transaction.run(insertFurtherNames);
  await transaction.run(updateNameCounts);
  return added;
}

const putColumns = {
  position: "BIGINT",
  cid_key: "BIGINT",
  cid: "BLOB",
  size: "BIGINT",
  profile: "VARCHAR",
  type: "VARCHAR",
  collection: "VARCHAR",
  owner: "VARCHAR",
  created: "TIMESTAMP",
  modified: "TIMESTAMP",
} as const;

const nameColumns = { position: "BIGINT", rank: "BIGINT", path: "VARCHAR" } as const;

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
    NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, FALSE, NULL, NULL
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
