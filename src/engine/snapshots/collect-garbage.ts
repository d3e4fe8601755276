import { dropTails } from "#engine/ledger/drop-tails.ts";
import { passingMarks } from "#engine/snapshots/passing-marks.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { EngineError } from "#model/engine-error.ts";
import type { SnapshotGcReport, SnapshotGcRequest } from "#model/index-snapshot.ts";

/**
 * Gives up all but the newest snapshots of each installation, and parts that none of the rest names. Snapshots whose
 * manifest is damaged are left alone, and then so are all parts: they may be named there.
 */
export async function collectGarbage(
  store: SnapshotStore,
  { keep, dryRun = false }: SnapshotGcRequest,
): Promise<SnapshotGcReport> {
  if (keep < 1) {
    throw new EngineError("USAGE", "at least one snapshot is kept", {
      hint: "remove the folder of the snapshots yourself if you want none",
    });
  }
  const { snapshots, damaged } = await store.list();
  // What was fetched from elsewhere must not crowd out the own ones, nor those that stay.
  const passing = new Set(await passingMarks(store.directory));
  const groups = Map.groupBy(snapshots, ({ cid, manifest }) =>
    JSON.stringify([manifest.installation, passing.has(cid)]),
  );
  const stays = new Set([...groups.values()].flatMap((group) => group.slice(0, keep)));
  const kept = snapshots.filter((snapshot) => stays.has(snapshot));
  const removed = snapshots.filter((snapshot) => !stays.has(snapshot)).map(({ cid }) => cid);
  const named = new Set(
    kept.flatMap(({ manifest }) =>
      manifest.tables.flatMap(({ parts }) => parts.map(({ cid }) => cid.toString())),
    ),
  );
  const stored = damaged.length > 0 ? [] : [...(await store.parts())];
  const unused = stored.filter(([cid]) => !named.has(cid));
  if (!dryRun) {
    await store.clearDrafts();
    // A snapshot goes before its parts: what is listed is whole, whenever this ends.
    for (const cid of removed) await store.drop(cid);
    for (const [cid] of unused) await store.removePart(cid);
    if (damaged.length === 0) {
      await dropTails(
        store.tails,
        kept.map(({ manifest }) => manifest),
      );
    }
  }
  return {
    kept: kept.map(({ cid }) => cid),
    removed,
    partsRemoved: unused.length,
    bytesRemoved: unused.reduce((bytes, [, size]) => bytes + size, 0),
  };
}
