import { randomUUID } from "node:crypto";
import { access, link, mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { giveUpListings } from "#engine/imports/give-up-listings.ts";
import { indexOptions } from "#engine/open-index.ts";
import { lacksLinks } from "#engine/snapshots/link-or-copy.ts";
import { type RecoveredTails, recoverTails } from "#engine/ledger/recover-tails.ts";
import {
  ordersInFile,
  type ReplayedLedger,
  replayOrders,
} from "#engine/snapshots/replay-ledger.ts";
import {
  type RestoredRun,
  settleRuns,
  settleSchedules,
} from "#engine/snapshots/settle-restored.ts";
import type { SnapshotStore, StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import { syncPath } from "#engine/snapshots/sync-path.ts";
import { verifiedTable } from "#engine/snapshots/verified-table.ts";
import { ObjectIndex } from "#index/object-index.ts";
import { loadSnapshot } from "#index/snapshot/load-snapshot.ts";
import type { TableFiles } from "#index/snapshot/table-files.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SnapshotSummary } from "#model/index-snapshot.ts";
import { permitMarginMs } from "#model/removal.ts";

export interface RestoreOptions {
  readonly config: Config;
  /** CID of a snapshot, the beginning of it, or `newest`. */
  readonly reference: string;
  readonly now: Date;
  /** A file that `audit export` wrote after the snapshot: its holds and cordons hold again. */
  readonly ledger?: string | undefined;
}

/** What was restored. */
export interface RestoreReport extends SnapshotSummary {
  readonly path: string;
  /** Before this nothing is removed: permits issued after the snapshot may be in use. */
  readonly removalsFrom: string;
  /** What the ledger recorded after the snapshot, as far as it was kept beside it. */
  readonly recovered: Omit<RecoveredTails, "orders">;
  /** Runs that had not ended: none of them goes on by itself. */
  readonly runs: readonly RestoredRun[];
  /** Marks for deletion whose grace begins anew. */
  readonly graces: number;
  /** Present when a file of the ledger was given, or orders were kept. */
  readonly replayed?: ReplayedLedger;
}

/**
 * Makes the index of a data directory that has none from a snapshot: every part is read against
 * its CID, every maintained figure is computed again and must agree, and only then the file
 * appears under its name.
 */
export async function restoreSnapshot(
  store: SnapshotStore,
  { config, reference, now, ledger }: RestoreOptions,
): Promise<RestoreReport> {
  const path = dataPaths(config.dataDirectory).index;
  await refuseExisting(path);
  const snapshot = await store.findKept(reference);
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}.restoring`;
  try {
    await load(store, snapshot, draft, { config, now });
    const { takenAt } = snapshot.manifest;
    const settled = await settle(store, draft, { config, now, ledger, takenAt });
    await syncPath(draft);
    await giveUpListings(config.dataDirectory);
    await place(draft, path);
    await syncPath(dirname(path));
    return { ...summarise(snapshot), path, ...settled };
  } finally {
    await rm(draft, { force: true });
    await rm(`${draft}.wal`, { force: true });
  }
}

interface Settling extends Pick<RestoreOptions, "ledger"> {
  readonly takenAt: string;
}

type Circumstances = Pick<RestoreOptions, "config" | "now">;

async function load(
  store: SnapshotStore,
  { manifest }: StoredSnapshot,
  draft: string,
  { config, now }: Circumstances,
): Promise<void> {
  const tables: TableFiles[] = [];
  for (const table of manifest.tables) tables.push(await verifiedTable(store, table));
  const { memoryLimit, threads } = indexOptions(config);
  await loadSnapshot(draft, tables, { schema: manifest.schema, memoryLimit, threads, now });
}

/** Brings the draft to the current schema, checks it, and lets no permit be issued too early. */
async function settle(
  store: SnapshotStore,
  draft: string,
  { config, now, ledger, takenAt }: Circumstances & Settling,
): Promise<Omit<RestoreReport, "path" | keyof SnapshotSummary>> {
  const index = await ObjectIndex.open(draft, { ...indexOptions(config), now: () => now });
  try {
    const [difference] = await index.checkSummaries();
    if (difference !== undefined) {
      const { what, id, stored, recomputed } = difference;
      const figures = `${String(stored)}, its detail says ${String(recomputed)}`;
      throw new EngineError("CORRUPT", `the snapshot says ${what} of ${id} is ${figures}`, {
        hint: "restore an older snapshot; `thermocline audit check` finds this in a live index",
      });
    }
    const { permitTtlMs, clockSkewMs } = config.safety;
    const longest = Math.max(permitTtlMs, (await index.terms.latest())?.permitTtlMs ?? 0);
    const from = new Date(now.getTime() + longest + permitMarginMs(clockSkewMs));
    await index.terms.holdPermits(from, permitTtlMs);
    const removalsFrom = from.toISOString();
    const { orders, ...recovered } = await recoverTails(index, store);
    // Both are read before anything is recorded here, which is done under the next number.
    const later = ledger === undefined ? [] : await ordersInFile(index, ledger);
    const graces = await index.terms.beginApart(now);
    const all = [...orders, ...later];
    const told =
      ledger === undefined && all.length === 0
        ? {}
        : { replayed: await replayOrders(index, all, now) };
    const runs = await settleRuns(index, all, { takenAt, now });
    await settleSchedules(index, now);
    return { removalsFrom, recovered, runs, graces, ...told };
  } finally {
    await index.close();
  }
}

/** Gives the draft its name, unless somebody else was faster. */
async function place(draft: string, path: string): Promise<void> {
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw occupied(path);
    if (!lacksLinks(error)) throw error;
    await refuseExisting(path);
    await rename(draft, path);
  }
}

async function refuseExisting(path: string): Promise<void> {
  // A log that a lost file left behind would be played into the new one.
  for (const file of ["", ".wal", ".wal.checkpoint", ".wal.recovery"].map((end) => path + end)) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) throw occupied(file);
  }
}

function occupied(file: string): EngineError {
  return new EngineError("ALREADY_EXISTS", `${file} is there, and is not replaced`, {
    hint: "stop the engine, move the index and all files of its .wal away, or restore into another --data",
  });
}
