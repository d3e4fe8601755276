import { join } from "node:path";
import { backendIds, requireBackend } from "#index/backends.ts";
import { type Connection, micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import type { Look } from "#index/inventories/ask-again.ts";
import type { Listing } from "#index/inventories/listing.ts";
import { type CutOff, findProgress } from "#index/inventories/inventory-progress.ts";
import { knownBytes } from "#index/inventories/known-bytes.ts";
import { ListingComparison, pieceRowsWithin } from "#index/inventories/listing-comparison.ts";
import { ListingParts } from "#index/inventories/listing-parts.ts";
import {
  type LockCandidate,
  lockCandidates,
  type LockFinding,
  recordLocks,
} from "#index/storage-locks.ts";
import { readRows, type ReadRowsOptions } from "#index/row-files/read-rows.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import type { EngineEvent } from "#model/engine-event.ts";
import type { DriftReport } from "#model/index-store.ts";
import type { ColumnBatch } from "#model/sql.ts";

/** One entry of a listing: a copy, or something that is none of ours. */
export type ListedEntry = ListedCopy | { readonly foreign: true; readonly cursor: string };

/** Where an inventory comes from. */
export interface InventorySource {
  readonly backend: string;
  /** `listing`, or what else is read. */
  readonly source: string;
  /** Keeps what was listed, so that an interrupted inventory goes on; of this backend alone. */
  readonly folder: string;
  /** What is listed is as of then, at the latest. */
  readonly begunAt: Date;
  readonly dryRun: boolean;
  readonly restart: boolean;
  /** It may tell less than was there at that time: the backend is asked about all that differs. */
  readonly isLate: boolean;
  /** Entries in one file, and so in what is listed twice after a crash; default 100,000. */
  readonly partEntries?: number;
  /** Copies that are compared at a time; by default as many as the memory of the index allows. */
  readonly pieceRows?: number;
  entries(cursor: string | undefined, knownBytes: KnownBytes): AsyncIterable<ListedEntry>;
  readonly look: Look;
}

/** What the index believes that copies of these CIDs take on the backend; see `ListOptions`. */
export type KnownBytes = NonNullable<ListOptions["knownBytes"]>;

/** What a backend says of its lock on one copy. */
export type LockAnswer = Omit<LockFinding, "backendId">;

/** How far an inventory is. */
export interface InventoryStep {
  readonly phase: "listing" | "checking" | "comparing";
  readonly listed: number;
  readonly total: number;
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly foreign: number;
  readonly earlier: number;
  /** When the listing began that it goes on with. */
  readonly earlierBegunAt?: Date;
  /** At the end. */
  readonly found?: DriftReport & { readonly begunAt: Date };
}

export interface InventoryContext {
  readonly now: () => Date;
  readonly clockSkewMs: number;
  readonly onEvent: (event: EngineEvent) => void;
}

const defaultPartEntries = 100_000;
const entriesBetweenSteps = 1_000;

/** Of a listing that has ended nothing is asked again: what it tells is not applied later than this. */
const comparedWithinMs = 6 * 3_600_000;

/** Takes the inventory of backends: what they list against what the index believes. */
export class InventoryStore {
  readonly #database: Database;
  readonly #context: InventoryContext;

  constructor(database: Database, context: InventoryContext) {
    this.#database = database;
    this.#context = context;
  }

  /** Rows of a file that a service wrote, as columns. */
  rows(path: string, options: ReadRowsOptions): AsyncGenerator<ColumnBatch> {
    return readRows(this.#database, path, options);
  }

  /** Steps while it lists and compares, and one with what was found. Nothing is changed before all is listed. */
  async *take(source: InventorySource): AsyncGenerator<InventoryStep> {
    const connection = await this.#database.connect();
    let parts: ListingParts | undefined;
    try {
      const backendId = requireBackend(await backendIds(connection), source.backend);
      const opened = await openParts(connection, source, backendId, this.#context.now());
      const { cutOff } = opened;
      const listing = opened.parts;
      parts = listing;
      const believed = await connection.row<{ total: number; bytesTotal: number }>(
        `SELECT copies AS total, used_bytes AS "bytesTotal" FROM backends WHERE backend_id = $1`,
        [backendId],
      );
      const earlier = listing.listed + listing.foreign;
      const since = earlier > 0 ? { earlierBegunAt: listing.begunAt } : {};
      const step = () => {
        const { listed, bytes, foreign } = listing;
        return { listed, bytes, foreign, earlier, ...since, ...believed };
      };
      yield { phase: "listing", ...step() };
      const known: KnownBytes = (cids) => knownBytes(connection, backendId, cids);
      // What is being compared was listed to its end.
      const collecting = cutOff === undefined ? collect(listing, source, known) : [];
      for await (const _ of collecting) yield { phase: "listing", ...step() };
      yield { phase: "comparing", ...step() };
      const pieces = this.#piecesOf(source);
      for await (const _ of listing.present(pieces.pieceRows))
        yield { phase: "comparing", ...step() };
      const comparison = await ListingComparison.begin(
        [this.#database, connection],
        this.#listing(source, backendId, listing),
        { ...pieces, scratch: listing.scratch },
        cutOff,
      );
      for await (const _ of comparison.resolve()) yield { phase: "comparing", ...step() };
      yield { phase: "checking", ...step() };
      for await (const _ of comparison.ask(source.look)) yield { phase: "checking", ...step() };
      yield { phase: "comparing", ...step() };
      for await (const _ of comparison.compare()) yield { phase: "comparing", ...step() };
      const found = await comparison.end();
      // A dry run leaves it to the inventory that was cut off, which needs it.
      if (!source.dryRun || cutOff === undefined) await listing.drop();
      const { dryRun } = source;
      const { onEvent } = this.#context;
      if (!dryRun && found.lost > 0) {
        onEvent({ type: "copy-lost", backend: source.backend, objects: found.lost });
      }
      yield { phase: "comparing", ...step(), found: { ...found, begunAt: listing.begunAt } };
    } finally {
      connection.close();
      await parts?.clearScratch();
    }
  }

  /** Copies that were checked since then may be newer than the listing. */
  #doubtSince({ isLate }: InventorySource, begunAt: Date): Date {
    // What a worker whose clock is behind says it has just written was written after we listed.
    return isLate ? new Date(0) : new Date(begunAt.getTime() - this.#context.clockSkewMs);
  }

  /** Copies to ask a backend about, as it may lock them; an inventory of `begunAt` came before. */
  async copiesToAskForLocks(
    backend: string,
    begunAt: Date,
    limit: number,
  ): Promise<readonly LockCandidate[]> {
    const now = this.#context.now();
    return await this.#database.read(async (connection) => {
      const backendId = requireBackend(await backendIds(connection), backend);
      return await lockCandidates(connection, { backendId, since: begunAt, now, limit });
    });
  }

  /** Records what the backend said of its locks. */
  async recordLocks(backend: string, answers: readonly LockAnswer[]): Promise<void> {
    if (answers.length === 0) return;
    await this.#database.write(async (transaction) => {
      const backendId = requireBackend(await backendIds(transaction.connection), backend);
      const findings = answers.map((answer) => ({ ...answer, backendId }));
      await recordLocks(transaction, findings);
    });
  }

  #listing(source: InventorySource, backendId: number, parts: ListingParts): Listing {
    const { id, begunAt, foreign, listed: entries } = parts;
    const doubtSince = this.#doubtSince(source, begunAt);
    const facts = { backend: source.backend, source: source.source, foreign };
    const size = { parts: parts.parts, entries };
    return { ...facts, ...size, id, backendId, begunAt, asOf: begunAt, doubtSince };
  }

  #piecesOf({ dryRun, pieceRows }: InventorySource) {
    const { now } = this.#context;
    return { dryRun, now, pieceRows: pieceRows ?? pieceRowsWithin(this.#database.memoryBytes) };
  }
}

/** A listing, and its comparison that was cut off. */
interface Opened {
  readonly parts: ListingParts;
  readonly cutOff: CutOff | undefined;
}

/** Goes on with the listing that was interrupted, unless it was compared already. */
async function openParts(
  connection: Connection,
  { folder, source, begunAt, restart, dryRun }: InventorySource,
  backendId: number,
  now: Date,
): Promise<Opened> {
  const { installation } = await connection.row<{ installation: string }>(
    "SELECT id AS installation FROM installation",
  );
  const start = { source, begunAt, installation };
  // What only looks does not give up what was cut off.
  const own = dryRun && restart ? join(folder, "dry-run") : folder;
  const parts = await ListingParts.open(connection, own, { ...start, restart });
  const cutOff = await findProgress(connection, { backendId, id: parts.id });
  const anew = async () => ({
    parts: await ListingParts.open(connection, own, { ...start, restart: true }),
    cutOff: undefined,
  });
  if (cutOff !== undefined) {
    if (now.getTime() - cutOff.comparedFrom.getTime() > comparedWithinMs) return await anew();
    if (cutOff.parts === parts.parts && cutOff.entries === parts.listed) return { parts, cutOff };
    // An older state of the listing came back: what is behind it is listed again, not lost.
    parts.renew();
    return { parts, cutOff: undefined };
  }
  const { compared } = await connection.row<{ compared: boolean }>(wasCompared, [
    backendId,
    parts.id,
    micros(parts.begunAt),
  ]);
  return compared ? await anew() : { parts, cutOff: undefined };
}

/** Inventories of before do not say of which listing they are. */
const wasCompared = `
  SELECT count(*) > 0 AS compared FROM inventories
  WHERE backend_id = $1 AND (listing_id = $2
    OR (listing_id IS NULL AND begun_at = make_timestamp($3::BIGINT)))`;

/** Lists to the end; yields now and then. */
async function* collect(
  parts: ListingParts,
  source: InventorySource,
  known: KnownBytes,
): AsyncGenerator<void> {
  const { partEntries = defaultPartEntries } = source;
  let cursor: string | undefined;
  let entries = 0;
  for await (const entry of source.entries(parts.cursor, known)) {
    if ("foreign" in entry) parts.addForeign();
    else await parts.add(entry);
    cursor = entry.cursor;
    entries += 1;
    if (parts.waiting >= partEntries) await parts.seal(cursor);
    if (entries % entriesBetweenSteps === 0) yield;
  }
  await parts.seal(cursor);
}
