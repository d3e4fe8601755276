import { applyCopyChanges, copyChangeColumns } from "#index/apply-copies.ts";
import { backendIds, requireBackend } from "#index/backends.ts";
import { cidKey } from "#index/cid-key.ts";
import type { Connection, StageType, StageValue } from "#index/connection.ts";
import { micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { openRepairs } from "#index/failures/repair-log.ts";
import { resolveCids } from "#index/resolve-cids.ts";
import { ledgerColumns, type Transaction } from "#index/transaction.ts";
import type { ListedCopy } from "#model/driver.ts";
import type { DriftReport } from "#model/index-store.ts";

const stageRows = 10_000;

const listedColumns = {
  position: "BIGINT",
  cid_key: "BIGINT",
  cid: "BLOB",
  locator: "VARCHAR",
  form: "VARCHAR",
  bytes: "BIGINT",
  size: "BIGINT",
} as const satisfies Record<string, StageType>;

/**
 * Compares what a backend lists with what the index believes of it, and corrects the index:
 * copies that are not listed are lost, listed ones that were not known are added (as `listed`),
 * ones whose size is another are corrupt, and what is known as corrupt stays so. A listing may take hours, so it is collected beside
 * the writer, and copies that changed since it began are left as they are.
 */
export async function reconcile(
  database: Database,
  backend: string,
  listed: AsyncIterable<ListedCopy>,
  now: Date,
): Promise<DriftReport> {
  const connection = await database.connect();
  try {
    const backendId = requireBackend(await backendIds(connection), backend);
    await stageListing(connection, listed);
    return await database.write(
      async (transaction) => await correct(transaction, backend, backendId, now),
      connection,
    );
  } finally {
    connection.close();
  }
}

async function stageListing(
  connection: Connection,
  listed: AsyncIterable<ListedCopy>,
): Promise<void> {
  await connection.stage("listing", listedColumns, []);
  let rows: StageValue[][] = [];
  let position = 0;
  const flush = async (): Promise<void> => {
    await connection.appendStage("listing", Object.values(listedColumns), rows);
    rows = [];
  };
  for await (const { cid, copy, size } of listed) {
    const { key, bytes } = cidKey(cid);
    rows.push([position, key, bytes, copy.locator, copy.form, copy.bytes, size]);
    position += 1;
    if (rows.length === stageRows) await flush();
  }
  await flush();
}

async function correct(
  transaction: Transaction,
  backend: string,
  backendId: number,
  now: Date,
): Promise<DriftReport> {
  await resolveCids(transaction, "listing");
  await addStrangers(transaction, now);
  await transaction.run(compare, [backendId, micros(now)]);
  await transaction.stage("copy_changes", copyChangeColumns, []);
  await transaction.run(changes, [backendId, micros(now)]);
  await transaction.run(lostCopies, [backendId]);
  await openRepairs(transaction, now);
  await applyCopyChanges(transaction);
  await transaction.run(ledgerOfDrift, [
    transaction.takeIds("entry", await driftCount(transaction)),
    micros(now),
    backend,
  ]);
  const counts = await transaction.row<{
    listed: number;
    confirmed: number;
    lost: number;
    unexpected: number;
    changed: number;
  }>(countKinds);
  return { backend, ...counts };
}

/** Content that only the backend knew becomes an object when its size is told. */
async function addStrangers(transaction: Transaction, now: Date): Promise<void> {
  const { count } = await transaction.row<{ count: number }>(
    `SELECT count(*) AS count FROM listing_resolved AS r JOIN listing AS l USING (position)
     WHERE r.object_id IS NULL AND r.position = r.first_position AND l.size IS NOT NULL`,
  );
  if (count === 0) return;
  await transaction.run(insertStrangers, [transaction.takeIds("object", count), micros(now)]);
  await resolveCids(transaction, "listing");
}

async function driftCount(transaction: Transaction): Promise<number> {
  const { count } = await transaction.row<{ count: number }>(
    "SELECT count(*) AS count FROM compared WHERE kind NOT IN ('confirmed', 'newer', 'corrupt')",
  );
  return count;
}

// The CID tells version and codec: a raw root is the SHA-256 of the bytes, a UnixFS root is
// taken to be of the profile that its version stands for. A verification will tell.
const insertStrangers = `
  INSERT INTO objects
  SELECT $1 - 1 + row_number() OVER (ORDER BY l.position), l.cid_key, l.cid, l.size,
    CASE WHEN octet_length(l.cid) = 34 THEN 'unixfs-v0-2015'
         WHEN hex(l.cid[2:2]) = '55' THEN 'raw-sha256' ELSE 'unixfs-v1-2025' END,
    NULL, 0, NULL, NULL, NULL, make_timestamp($2::BIGINT), NULL, make_timestamp($2::BIGINT),
    NULL, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, FALSE, NULL, NULL
  FROM listing AS l JOIN listing_resolved AS r USING (position)
  WHERE r.object_id IS NULL AND r.position = r.first_position AND l.size IS NOT NULL
  ORDER BY l.position`;

/** Each copy, listed or believed, with what the comparison says of it. */
const compare = `
  CREATE OR REPLACE TEMP TABLE compared AS
  SELECT coalesce(l.object_id, c.object_id) AS object_id, l.cid, l.locator, l.form, l.bytes,
    l.position IS NOT NULL AS listed,
    CASE
      WHEN c.checked_at >= make_timestamp($2::BIGINT) THEN 'newer'
      WHEN l.position IS NOT NULL AND c.object_id IS NULL
        AND l.object_id IN (SELECT object_id FROM permits
          WHERE backend_id = $1 AND state = 'done' AND ended_at >= make_timestamp($2::BIGINT))
        THEN 'newer'
      WHEN l.position IS NULL THEN 'lost'
      WHEN c.object_id IS NULL THEN 'unexpected'
      WHEN c.state = 'corrupt' THEN 'corrupt'
      WHEN c.state = 'lost' OR c.form <> l.form::form THEN 'changed'
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

const ledgerOfDrift = `
  INSERT INTO ledger_entries (${ledgerColumns})
  SELECT $1 - 1 + row_number() OVER (ORDER BY object_id, hex(cid)), make_timestamp($2::BIGINT),
    'drift', NULL, NULL, NULL, object_id, NULL, kind, json_object('backend', $3)
  FROM compared WHERE kind NOT IN ('confirmed', 'newer', 'corrupt')`;

const countKinds = `
  SELECT count(*) FILTER (WHERE listed) AS listed,
    count(*) FILTER (WHERE kind IN ('confirmed', 'newer') AND listed) AS confirmed,
    count(*) FILTER (WHERE kind = 'lost') AS lost,
    count(*) FILTER (WHERE kind = 'unexpected') AS unexpected,
    count(*) FILTER (WHERE kind IN ('changed', 'damaged', 'corrupt')) AS changed
  FROM compared`;
