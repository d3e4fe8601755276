import { type Connection, micros } from "#index/connection.ts";
import type { Listing } from "#index/inventories/listing.ts";
import type { Transaction } from "#index/transaction.ts";
import { EngineError } from "#model/engine-error.ts";
import type { DriftReport } from "#model/index-store.ts";
import type { SqlRow } from "#model/sql.ts";

/** How far a listing is compared with the index; each piece moves it on in its own transaction. */
export interface InventoryProgress {
  readonly inventoryId: number;
  /** Objects from this id on came into the index after the comparison began, or by it. */
  readonly knownBelow: number;
  /** Content that nobody knew is in the index up to this key; undefined: none is. */
  readonly keysThrough: bigint | undefined;
  /** The copies of objects below this id are compared. */
  readonly objectsBelow: number;
}

/** A place to which a comparison has come. */
export type Place = Partial<Pick<InventoryProgress, "keysThrough" | "objectsBelow">>;

/** What was found so far. */
export type DriftCounts = Omit<DriftReport, "backend">;

/** A comparison that was cut off. */
export interface CutOff extends InventoryProgress {
  /** What the listing had when it was listed to its end. */
  readonly parts: number;
  readonly entries: number;
  /** When the comparison began. */
  readonly comparedFrom: Date;
}

/** Whose progress it is. */
export type ProgressOf = Pick<Listing, "backendId" | "id">;

/** The comparison of a listing that was cut off. */
export async function findProgress(
  connection: Connection,
  { backendId, id: listingId }: ProgressOf,
): Promise<CutOff | undefined> {
  const [row] = await connection.rows<ProgressRow>(
    `SELECT inventory_id, known_below, keys_through::VARCHAR AS keys_through, objects_below,
       listing_parts AS parts, listing_entries AS entries,
       epoch_ms(compared_from) AS compared_from
     FROM inventories_under_way WHERE backend_id = $1 AND listing_id = $2`,
    [backendId, listingId],
  );
  if (row === undefined) return undefined;
  return {
    inventoryId: row.inventory_id,
    knownBelow: row.known_below,
    keysThrough: row.keys_through === null ? undefined : BigInt(row.keys_through),
    objectsBelow: row.objects_below,
    parts: row.parts,
    entries: row.entries,
    comparedFrom: new Date(row.compared_from),
  };
}

/** Begins a comparison; one of an earlier listing of this backend is given up. */
export async function beginProgress(
  transaction: Transaction,
  listing: Pick<Listing, "backendId" | "id" | "begunAt" | "parts" | "entries">,
  now: Date,
): Promise<InventoryProgress> {
  const { backendId, id: listingId, begunAt, parts, entries } = listing;
  await transaction.run(forgetUnfinished, [backendId]);
  await transaction.run("DELETE FROM inventories_under_way WHERE backend_id = $1", [backendId]);
  const { id } = await transaction.row<{ id: number }>(nextInventory);
  const knownBelow = transaction.takeIds("object", 0);
  await transaction.run(
    `INSERT INTO inventories_under_way
     VALUES ($1, $2, $3, $4, $5, make_timestamp($6::BIGINT), make_timestamp($7::BIGINT), $8,
       NULL, 0, 0, 0, 0, 0, 0)`,
    [backendId, id, listingId, parts, entries, micros(begunAt), micros(now), knownBelow],
  );
  return { inventoryId: id, knownBelow, keysThrough: undefined, objectsBelow: 0 };
}

/** Adds what was found in a piece. */
export async function addCounts(
  transaction: Transaction,
  of: ProgressOf,
  { listed, confirmed, lost, unexpected, changed }: DriftCounts,
): Promise<void> {
  const rows = await transaction.run(
    `UPDATE inventories_under_way SET listed = listed + $2::BIGINT,
       confirmed = confirmed + $3::BIGINT, lost = lost + $4::BIGINT,
       unexpected = unexpected + $5::BIGINT, changed = changed + $6::BIGINT
     WHERE backend_id = $1 AND listing_id = $7`,
    [of.backendId, listed, confirmed, lost, unexpected, changed, of.id],
  );
  requireOne(rows);
}

/** That everything up to there is done. */
export async function moveOn(transaction: Transaction, of: ProgressOf, to: Place): Promise<void> {
  const rows = await transaction.run(
    `UPDATE inventories_under_way SET keys_through = coalesce($2::BIGINT, keys_through),
       objects_below = coalesce($3::BIGINT, objects_below)
     WHERE backend_id = $1 AND listing_id = $4`,
    [of.backendId, to.keysThrough ?? null, to.objectsBelow ?? null, of.id],
  );
  requireOne(rows);
}

/** What was found until now. */
export async function foundSoFar(
  transaction: Transaction,
  backendId: number,
): Promise<DriftCounts> {
  return await transaction.row<DriftCounts & SqlRow>(
    `SELECT listed, confirmed, lost, unexpected, changed FROM inventories_under_way
     WHERE backend_id = $1`,
    [backendId],
  );
}

/** Makes it the newest inventory of the backend, and its differences those that count. */
export async function endProgress(
  transaction: Transaction,
  { backendId, id, source, foreign }: Pick<Listing, "backendId" | "id" | "source" | "foreign">,
  now: Date,
): Promise<void> {
  await transaction.run(forgetEarlier, [backendId]);
  requireOne(await transaction.run(insertInventory, [backendId, source, micros(now), foreign, id]));
  await transaction.run("DELETE FROM inventories_under_way WHERE backend_id = $1", [backendId]);
}

/** Another inventory of the backend may have taken its place: nothing of this one counts then. */
function requireOne(rows: number): void {
  if (rows === 1) return;
  throw new EngineError("CONFLICT", "another inventory of this backend began meanwhile", {
    hint: "wait until that has ended, and take this one again",
  });
}

interface ProgressRow extends SqlRow {
  readonly inventory_id: number;
  readonly known_below: number;
  readonly keys_through: string | null;
  readonly objects_below: number;
  readonly parts: number;
  readonly entries: number;
  readonly compared_from: number;
}

const forgetUnfinished = `
  DELETE FROM differences WHERE backend_id = $1 AND inventory_id IN (
    SELECT inventory_id FROM inventories_under_way WHERE backend_id = $1)`;

const forgetEarlier = `
  DELETE FROM differences WHERE backend_id = $1 AND inventory_id IS DISTINCT FROM (
    SELECT inventory_id FROM inventories_under_way WHERE backend_id = $1)`;

const nextInventory = `
  SELECT coalesce(max(inventory_id), 0) + 1 AS id FROM (
    SELECT inventory_id FROM inventories
    UNION ALL SELECT inventory_id FROM inventories_under_way)`;

const insertInventory = `
  INSERT INTO inventories
  SELECT inventory_id, $1::INTEGER, $2, begun_at, make_timestamp($3::BIGINT), listed, confirmed,
    lost, unexpected, changed, $4::BIGINT, listing_id
  FROM inventories_under_way WHERE backend_id = $1 AND listing_id = $5`;
