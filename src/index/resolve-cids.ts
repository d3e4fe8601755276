import type { Transaction } from "#index/transaction.ts";

/**
 * From a temporary table with `position, cid_key, cid` makes `<table>_resolved` with
 * `position, first_position, object_id`: the first row with the same CID, and the known object
 * or null.
 *
 * The digest key is joined first and alone: it is a narrow scan, and where nothing is known
 * yet, as in an import, the wide CIDs are never read.
 */
export async function resolveCids(
  transaction: Pick<Transaction, "run" | "row">,
  table: string,
): Promise<Resolved> {
  await transaction.run(findMatches(table));
  const { matches, repeated } = await transaction.row<{ matches: number; repeated: boolean }>(
    `SELECT (SELECT count(*) FROM ${table}_matches) AS matches,
       (SELECT count(*) > count(DISTINCT cid_key) FROM ${table}) AS repeated`,
  );
  const known =
    matches === 0
      ? "NULL::BIGINT"
      : `(SELECT min(o.object_id) FROM ${table}_known AS o
          WHERE o.cid_key = t.cid_key AND o.cid = t.cid)`;
  if (matches > 0) {
    await transaction.run(
      `CREATE OR REPLACE TEMP TABLE ${table}_known AS
       SELECT o.object_id, o.cid_key, o.cid FROM objects AS o
       JOIN ${table}_matches AS m ON m.object_id = o.object_id`,
    );
  }
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE ${table}_resolved AS
     SELECT t.position, ${repeated ? "min(t.position) OVER (PARTITION BY t.cid)" : "t.position"}
         AS first_position,
       ${known} AS object_id
     FROM ${table} AS t`,
  );
  return { mayBeKnown: matches > 0, mayRepeat: repeated };
}

/**
 * The same with `position, object_id` only, for rows that say in `by_sha256` whether their CID has
 * such a digest. These are found by the key of their digest alone: any CID of a block names its
 * object. Only where two objects have that key, which are two CIDs of one block, the whole CIDs
 * tell them apart, as they do for other hashes. For what bears that one in 2^64 is another's:
 * nearly half the time of reads that are spread over the index went into reading its CIDs.
 */
export async function resolveDigests(
  transaction: Pick<Transaction, "run" | "row">,
  table: string,
): Promise<void> {
  await transaction.run(findMatches(table));
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE ${table}_exact AS
     SELECT position, cid_key, cid FROM ${table}
     WHERE cid IS NOT NULL AND (NOT by_sha256 OR cid_key IN (
       SELECT cid_key FROM ${table}_matches GROUP BY cid_key HAVING count(*) > 1))`,
  );
  const { exact } = await transaction.row<{ exact: number }>(
    `SELECT count(*) AS exact FROM ${table}_exact`,
  );
  await transaction.run(exact === 0 ? byDigest(table, "") : compareWhole(table));
  if (exact === 0) return;
  await transaction.run(
    byDigest(
      table,
      `WHERE position NOT IN (SELECT position FROM ${table}_exact)
     UNION ALL FROM ${table}_compared`,
    ),
  );
}

const byDigest = (table: string, rest: string): string => `
  CREATE OR REPLACE TEMP TABLE ${table}_resolved AS
  SELECT t.position, m.object_id
  FROM ${table} AS t LEFT JOIN ${table}_matches AS m ON m.cid_key = t.cid_key ${rest}`;

const compareWhole = (table: string): string => `
  CREATE OR REPLACE TEMP TABLE ${table}_compared AS
  WITH keys AS (SELECT DISTINCT cid_key FROM ${table}_exact),
  ids AS (SELECT object_id FROM ${table}_matches SEMI JOIN keys USING (cid_key)),
  known AS (SELECT o.object_id, o.cid FROM objects AS o SEMI JOIN ids USING (object_id))
  SELECT e.position, min(k.object_id) AS object_id
  FROM ${table}_exact AS e LEFT JOIN known AS k ON k.cid = e.cid
  GROUP BY e.position`;

const findMatches = (table: string): string => `
  CREATE OR REPLACE TEMP TABLE ${table}_matches AS
  SELECT o.object_id, o.cid_key FROM objects AS o
  WHERE o.cid_key IN (SELECT cid_key FROM ${table})`;

/** What may be so; false means that it is not. */
export interface Resolved {
  /** Some rows name objects of the index. */
  readonly mayBeKnown: boolean;
  /** Some rows name the same object. */
  readonly mayRepeat: boolean;
}
