import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { giveUpListings } from "#engine/imports/give-up-listings.ts";
import type { PublishedIndex, PublishedIndexes } from "#engine/published-indexes.ts";
import { EngineError } from "#model/engine-error.ts";

/** A state of the index: the term that wrote it, and how much it had written. */
export interface IndexState {
  readonly epoch: number;
  readonly commits: number;
}

/**
 * Puts the newest published index that is newer than the given state in the place of the index
 * file, which nobody has open; the old file stays beside it, and listings under
 * way are given up. Undefined when there is none.
 */
export async function restoreIndex(
  snapshots: PublishedIndexes,
  than: IndexState,
  path: string,
  onError: (error: EngineError) => void,
): Promise<PublishedIndex | undefined> {
  for (const snapshot of await newerSnapshots(snapshots, than)) {
    const fetched = `${path}.fetched`;
    try {
      await snapshots.fetch(snapshot, fetched);
    } catch (error) {
      // An older one that is whole is better than none; what it lacks is learned again.
      onError(EngineError.from(error));
      continue;
    }
    await giveUpListings(dirname(path));
    await rename(path, `${path}.replaced`);
    await rename(fetched, path);
    return snapshot;
  }
  return undefined;
}

/** Published states that are newer than the given one, the newest first. */
export async function newerSnapshots(
  snapshots: PublishedIndexes,
  than: IndexState,
): Promise<readonly PublishedIndex[]> {
  return (await snapshots.list()).filter(
    ({ epoch, commits }) => epoch > than.epoch || (epoch === than.epoch && commits > than.commits),
  );
}
