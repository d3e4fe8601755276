import type { Connection } from "#index/connection.ts";
import { findBeingDeleted } from "#index/put-objects.ts";
import { mergeStaged } from "#index/merge-staged.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import type { Transaction } from "#index/transaction.ts";
import { cidKey } from "#index/cid-key.ts";
import { permitMarginMs } from "#model/removal.ts";

/** What became of one piece of a manifest. */
export interface PutPiece {
  readonly bytes: number;
  readonly added: number;
  readonly known: number;
  readonly copies: number;
  readonly leftOut: number;
}

/**
 * Takes the staged rows into the index. What contradicts it is added to `row_problems` and left
 * out, and so is what a deletion may be taking away at this moment.
 */
export async function putManifestPiece(
  transaction: Transaction,
  now: Date,
  clockSkewMs: number,
): Promise<PutPiece> {
  const leftOut = await leaveOut(transaction, now, clockSkewMs);
  const { rows, bytes } = await staged(transaction);
  const { added, copies } = await mergeStaged(transaction, now, "list");
  return { bytes, added, known: rows - added, copies, leftOut };
}

/** Makes the table in which a dry run remembers what it would have added. */
export async function beginDryRun(connection: Connection): Promise<void> {
  await connection.run("CREATE OR REPLACE TEMP TABLE would_add (cid BLOB, backend_id INTEGER)");
}

/** What `putManifestPiece` would do, found out without doing it. */
export async function tryManifestPiece(
  connection: Connection,
  now: Date,
  clockSkewMs: number,
): Promise<PutPiece> {
  const leftOut = await leaveOut(connection, now, clockSkewMs);
  const { rows, bytes } = await staged(connection);
  const added = await connection.run(wouldAddObjects);
  const copies = await connection.run(wouldAddCopies);
  return { bytes, added, known: rows - added, copies, leftOut };
}

type Work = Pick<Connection, "run" | "row" | "rows">;

/** Takes out of the stage what cannot be taken in; says how many rows may not be relied on. */
async function leaveOut(work: Work, now: Date, clockSkewMs: number): Promise<number> {
  const { mayBeKnown, mayRepeat } = await resolveCids(work, "put_objects");
  // Content that nobody knew contradicts nothing, and nothing is being deleted of it.
  if (!mayBeKnown && !mayRepeat) return 0;
  const contradicting = await work.run(otherSizes);
  if (contradicting > 0) {
    await work.run(`DELETE FROM put_objects ${withProblems}`);
    await work.run(`DELETE FROM put_names ${withProblems}`);
    await work.run(`DELETE FROM put_tags ${withProblems}`);
    await work.run(`DELETE FROM put_copies WHERE object_id IN (SELECT position FROM row_problems)`);
    await resolveCids(work, "put_objects");
  }
  await work.run(dropKnownCopies);
  const deleted = await findBeingDeleted(work, now, permitMarginMs(clockSkewMs));
  if (deleted.length === 0) return 0;
  const { rows: before } = await staged(work);
  for (const { cid } of deleted) {
    const { key, bytes } = cidKey(cid);
    const position = "(SELECT position FROM put_objects WHERE cid_key = $1 AND cid = $2)";
    for (const table of ["put_names", "put_tags"]) {
      await work.run(`DELETE FROM ${table} WHERE position IN ${position}`, [key, bytes]);
    }
    await work.run(`DELETE FROM put_copies WHERE object_id IN ${position}`, [key, bytes]);
    await work.run("DELETE FROM put_objects WHERE cid_key = $1 AND cid = $2", [key, bytes]);
  }
  await resolveCids(work, "put_objects");
  return before - (await staged(work)).rows;
}

async function staged(work: Work): Promise<{ rows: number; bytes: number }> {
  return await work.row(
    "SELECT count(*) AS rows, coalesce(sum(size), 0)::DOUBLE AS bytes FROM put_objects",
  );
}

const withProblems = "WHERE position IN (SELECT position FROM row_problems)";

const otherSizes = `
  INSERT INTO row_problems
  SELECT p.position, 'it has ' || coalesce(o.size, f.size) || ' bytes in the '
    || CASE WHEN o.size IS NULL THEN 'rows before' ELSE 'index' END || ', not ' || p.size
  FROM put_objects AS p JOIN put_objects_resolved AS r USING (position)
  JOIN put_objects AS f ON f.position = r.first_position
  LEFT JOIN objects AS o ON o.object_id = r.object_id
  WHERE p.size <> coalesce(o.size, f.size)`;

const dropKnownCopies = `
  DELETE FROM put_copies USING put_objects_resolved AS r, copies AS c
  WHERE r.position = put_copies.object_id AND c.object_id = r.object_id
    AND c.backend_id = put_copies.backend_id`;

const wouldAddObjects = `
  INSERT INTO would_add
  SELECT DISTINCT p.cid, NULL::INTEGER
  FROM put_objects AS p JOIN put_objects_resolved AS r USING (position)
  ANTI JOIN (FROM would_add WHERE backend_id IS NULL) AS w ON w.cid = p.cid
  WHERE r.object_id IS NULL`;

const wouldAddCopies = `
  INSERT INTO would_add
  SELECT DISTINCT p.cid, c.backend_id
  FROM put_copies AS c JOIN put_objects AS p ON p.position = c.object_id
  ANTI JOIN (FROM would_add WHERE backend_id IS NOT NULL) AS w
    ON w.cid = p.cid AND w.backend_id = c.backend_id`;
