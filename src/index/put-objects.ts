import { copyChangeColumns } from "#index/apply-copies.ts";
import { backendIds, requireBackend } from "#index/backends.ts";
import { cidKey, cidText } from "#index/cid-key.ts";
import { micros, type StageValue } from "#index/connection.ts";
import { mergeStaged, type Staged } from "#index/merge-staged.ts";
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
  staged: Staged = "content",
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
    return {
      ...(await putObjects(transaction, rest, now, clockSkewMs, staged)),
      beingDeleted: leftOut,
    };
  }
  const { added, copies } = await mergeStaged(transaction, now, staged);
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
export async function findBeingDeleted(
  transaction: Pick<Transaction, "rows">,
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
