import { exportedColumns } from "#engine/audit.ts";
import type { LedgerTail } from "#engine/ledger/ledger-tail.ts";
import { snapshotEnd } from "#engine/ledger/snapshot-end.ts";
import { installationOf } from "#engine/snapshots/installation-of.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import { EngineError } from "#model/engine-error.ts";
import { sql, toStatement } from "#policies/sql-fragment.ts";

/** Entries in one file. */
const defaultEntriesMax = 100_000;

export interface TailWriterOptions {
  readonly index: ObjectIndex;
  readonly store: SnapshotStore;
  readonly now: () => Date;
  readonly entriesMax?: number;
}

/** The last entry that was written, and its check. */
type WrittenEnd = Pick<LedgerTail, "last" | "after">;

/**
 * Writes what the ledger records to files beside the snapshots, each entry once and in order, so
 * that with the index is lost only what came after the last of them.
 */
export class TailWriter {
  readonly #options: TailWriterOptions;
  #installation: string | undefined;
  #end: WrittenEnd | undefined;

  constructor(options: TailWriterOptions) {
    this.#options = options;
  }

  /** Whether there is a snapshot, or a tail behind one, that what is recorded goes on from. */
  get hasBegun(): boolean {
    return this.#end !== undefined;
  }

  /** Writes all that is not written yet; says how many entries that were. */
  async write(): Promise<number> {
    const { index, entriesMax = defaultEntriesMax } = this.#options;
    this.#installation ??= await installationOf(index);
    this.#end ??= await this.#findEnd(this.#installation);
    if (this.#end === undefined) return 0;
    const from = this.#end.last;
    const until = await index.ledger.last();
    while (this.#end.last < until) {
      const last = Math.min(until, this.#end.last + entriesMax);
      this.#end = await this.#writeUntil(this.#installation, this.#end, last);
    }
    return until - from;
  }

  async #writeUntil(
    installation: string,
    { last: before, after: checkBefore }: WrittenEnd,
    last: number,
  ): Promise<WrittenEnd> {
    const { index, store, now } = this.#options;
    const after = checkOf(await index.ledger.checks([last]), last);
    const about = { first: before + 1, last, before: checkBefore, after };
    const rows = sql`SELECT ${exportedColumns()}, l.object_id FROM audit AS l
      WHERE l.entry_id > ${before} AND l.entry_id <= ${last} ORDER BY "entry"`;
    const dated = { ...about, writtenAt: now().toISOString() };
    return await store.tails.add(installation, dated, async (path) => {
      await using session = await index.session();
      const written = await session.exportParquet(toStatement(rows), path);
      if (written.rows !== last - before) {
        throw new EngineError("CORRUPT", `the ledger lacks entries from ${before + 1} to ${last}`, {
          hint: "`thermocline audit check` says which",
        });
      }
    });
  }

  /**
   * The last tail here that is of this ledger, and not of one that went apart from it; where there
   * is none, the end of the newest snapshot. Undefined while there is no snapshot to go on from.
   */
  async #findEnd(installation: string): Promise<WrittenEnd | undefined> {
    const { index, store } = this.#options;
    const last = await index.ledger.last();
    const tails = await store.tails.list(installation);
    const checks = await index.ledger.checks(tails.map((tail) => tail.last));
    const own = tails.filter((tail) => checks.get(tail.last) === tail.after);
    const furthest = own.toSorted((a, b) => a.last - b.last).at(-1);
    if (furthest !== undefined) return furthest;
    const { snapshots } = await store.list();
    const snapshot = snapshots.find(({ manifest }) => {
      return manifest.installation === installation && snapshotEnd(manifest) <= last;
    });
    if (snapshot === undefined) return undefined;
    const end = snapshotEnd(snapshot.manifest);
    return { last: end, after: checkOf(await index.ledger.checks([end]), end) };
  }
}

function checkOf(checks: ReadonlyMap<number, string>, entry: number): string {
  const check = checks.get(entry);
  if (check !== undefined) return check;
  throw new EngineError("CORRUPT", `the ledger has no entry ${entry}`, {
    hint: "`thermocline audit check` says what else is missing",
  });
}
