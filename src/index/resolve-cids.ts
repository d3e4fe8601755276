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
 * The same with `position, object_id` only, by the digest keys alone: any CID of a block names its
 * object. Only where two objects have one key, which are two CIDs of one block, the whole CIDs
 * tell them apart. For CIDs of SHA-256, and where it does no harm that one in 2^64 is another's:
 * nearly half the time of reads that are spread over the index went into reading its CIDs.
 */
export async function resolveDigests(
  transaction: Pick<Transaction, "run" | "row">,
  table: string,
): Promise<void> {
  await transaction.run(findMatches(table));
  const { several } = await transaction.row<{ several: boolean }>(
    `SELECT count(*) > count(DISTINCT cid_key) AS several FROM ${table}_matches`,
  );
  if (several) {
    await resolveCids(transaction, table);
    return;
  }
  await transaction.run(
    `CREATE OR REPLACE TEMP TABLE ${table}_resolved AS
     SELECT t.position, m.object_id
     FROM ${table} AS t LEFT JOIN ${table}_matches AS m ON m.cid_key = t.cid_key`,
  );
}

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
