import type { Connection } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { askAgain, type Look } from "#index/inventories/ask-again.ts";
import { type Believed, comparePiece, correctByPiece } from "#index/inventories/compare-piece.ts";
import {
  addCounts,
  beginProgress,
  type DriftCounts,
  endProgress,
  foundSoFar,
  type InventoryProgress,
  moveOn,
  type Place,
} from "#index/inventories/inventory-progress.ts";
import type { Listing } from "#index/inventories/listing.ts";
import { KnownRows } from "#index/inventories/known-rows.ts";
import {
  keyRanges,
  resolveRange,
  showStrangers,
  takeStrangers,
} from "#index/inventories/listing-keys.ts";
import type { Transaction } from "#index/transaction.ts";
import type { DriftReport } from "#model/index-store.ts";

/** How a listing is compared. */
export interface ComparisonOptions {
  /** A folder for what is made of the listing meanwhile. */
  readonly scratch: string;
  /** Copies that are compared at a time; see `pieceRowsWithin`. */
  readonly pieceRows: number;
  /** Only says what it would find. */
  readonly dryRun: boolean;
  readonly now: () => Date;
}

/** Of the memory that the process may hold for the index, for each copy that is compared at a time. */
const bytesPerRow = 5_120;

/** How many copies may be compared at a time within so much memory. */
export function pieceRowsWithin(memoryBytes: number): number {
  return Math.ceil(memoryBytes / bytesPerRow);
}

/**
 * Compares a whole listing (the temporary view `listing` of a connection) with the index and
 * corrects the index, in pieces of which each is a transaction of its own: other writes pass between
 * them, and memory does not grow with the listing.
 *
 * It goes twice through the listing. By ranges of the keys of CIDs what is known is found, and
 * content that nobody knew comes in with its copy. Then, by ranges of objects, all that is known
 * is compared. How far this is stands in the index: what was cut off goes on there.
 */
export class ListingComparison {
  readonly #database: Database;
  readonly #connection: Connection;
  readonly #listing: Listing;
  readonly #options: ComparisonOptions;
  readonly #progress: InventoryProgress;
  readonly #known: KnownRows;
  /** By a dry run. */
  #found: DriftCounts = nothing;

  private constructor(
    [database, connection]: readonly [Database, Connection],
    listing: Listing,
    options: ComparisonOptions,
    progress: InventoryProgress,
    known: KnownRows,
  ) {
    this.#database = database;
    this.#connection = connection;
    this.#listing = listing;
    this.#options = options;
    this.#progress = progress;
    this.#known = known;
  }

  /** Begins, or goes on with what was cut off. */
  static async begin(
    [database, connection]: readonly [Database, Connection],
    listing: Listing,
    options: ComparisonOptions,
    cutOff: InventoryProgress | undefined,
  ): Promise<ListingComparison> {
    const begin = async (transaction: Transaction) => {
      transaction.keepVersion();
      return await beginProgress(transaction, listing, options.now());
    };
    const progress = options.dryRun
      ? await progressOfNone(connection)
      : (cutOff ?? (await database.write(begin)));
    await connection.run("CREATE OR REPLACE TEMP TABLE asked (object_id BIGINT, cid BLOB)");
    const known = await KnownRows.begin(connection, options.scratch, progress.knownBelow);
    return new ListingComparison([database, connection], listing, options, progress, known);
  }

  /** Finds what is known; content that nobody knew comes in. Yields after each piece. */
  async *resolve(): AsyncGenerator<void> {
    const { dryRun, now, pieceRows } = this.#options;
    for (const range of await keyRanges(this.#connection, pieceRows)) {
      const found = await resolveRange(this.#connection, range, this.#progress);
      if (found.known > 0) await this.#known.add();
      if (found.unknown > 0 && dryRun) {
        await showStrangers(this.#connection, this.#progress);
        await this.#correct(ofPiece, {});
      } else if (found.unknown > 0) {
        await this.#correct(ofPiece, { keysThrough: range.last }, async (transaction) => {
          await takeStrangers(transaction, this.#progress, found, {
            listing: this.#listing,
            now: now(),
          });
        });
      }
      yield;
    }
    yield* this.#known.present(pieceRows);
  }

  /** Asks the backend about what may be newer than the listing; see `askAgain`. */
  async *ask(look: Look): AsyncGenerator<void> {
    const [listing, known, ranges] = [this.#listing, this.#known, await this.#ranges()];
    yield* askAgain(this.#connection, { listing, known, ranges, look });
  }

  /** Compares what is known, and corrects the index by it. Yields after each piece. */
  async *compare(): AsyncGenerator<void> {
    for (const range of await this.#ranges()) {
      const believed = await this.#known.piece(range);
      await this.#correct(believed, { objectsBelow: range.last + 1 });
      // What several pieces updated would be too much.
      if (!this.#options.dryRun) await this.#database.checkpoint();
      yield;
    }
  }

  /** What was found; it is the newest inventory of the backend from now on. */
  async end(): Promise<DriftReport> {
    const { backend, backendId } = this.#listing;
    const { dryRun, now } = this.#options;
    if (dryRun) return { backend, ...this.#found };
    return await this.#database.write(async (transaction) => {
      await this.#correctWithin(transaction, await this.#known.arrived(this.#listing));
      const found = await foundSoFar(transaction, backendId);
      await endProgress(transaction, this.#listing, now());
      return { backend, ...found };
    }, this.#connection);
  }

  async #ranges() {
    const { objectsBelow } = this.#progress;
    return await this.#known.ranges(this.#listing.backendId, objectsBelow, this.#options.pieceRows);
  }

  async #correct(
    believed: Believed,
    place: Place,
    before?: (transaction: Transaction) => Promise<void>,
  ): Promise<void> {
    if (this.#options.dryRun) {
      const found = await comparePiece(this.#connection, this.#listing, believed);
      this.#found = sumOf(this.#found, found);
      return;
    }
    await this.#database.write(async (transaction) => {
      await before?.(transaction);
      await this.#correctWithin(transaction, believed);
      await moveOn(transaction, this.#listing, place);
    }, this.#connection);
  }

  async #correctWithin(transaction: Transaction, believed: Believed): Promise<void> {
    const { inventoryId } = this.#progress;
    const how = { inventoryId, now: this.#options.now() };
    const found = await correctByPiece(transaction, this.#listing, believed, how);
    await addCounts(transaction, this.#listing, found);
  }
}

const ofPiece: Believed = {
  condition: "object_id IN (SELECT object_id FROM piece)",
  parameters: [],
};

const nothing: DriftCounts = { listed: 0, confirmed: 0, lost: 0, unexpected: 0, changed: 0 };

function sumOf(one: DriftCounts, other: DriftCounts): DriftCounts {
  return {
    listed: one.listed + other.listed,
    confirmed: one.confirmed + other.confirmed,
    lost: one.lost + other.lost,
    unexpected: one.unexpected + other.unexpected,
    changed: one.changed + other.changed,
  };
}

/** Where a comparison begins that changes nothing. */
async function progressOfNone(connection: Connection): Promise<InventoryProgress> {
  const { next } = await connection.row<{ next: number }>(
    "SELECT next_object AS next FROM counters",
  );
  return { inventoryId: 0, knownBelow: next, keysThrough: undefined, objectsBelow: 0 };
}
