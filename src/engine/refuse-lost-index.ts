import { access } from "node:fs/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { PassingSnapshots } from "#engine/snapshots/passing-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Throws REFUSED where snapshots say that there was an index and there is none: an empty one in
 * its place would know of no object, and look like an answer. Controllers that share a folder of
 * published indexes begin with an empty one and take the newest from there.
 */
export async function refuseLostIndex(config: Config): Promise<void> {
  const { index, snapshots } = dataPaths(config.dataDirectory);
  const isThere = await access(index).then(
    () => true,
    () => false,
  );
  if (isThere || config.standby.directory !== undefined) return;
  const kept = await new PassingSnapshots(new SnapshotStore(snapshots)).newestKept();
  if (kept === undefined) return;
  const taken = kept.manifest.takenAt;
  throw new EngineError("REFUSED", `${index} is gone; its newest snapshot is of ${taken}`, {
    hint:
      "bring it back: thermocline index snapshot restore newest; " +
      `to begin with an empty index, move ${snapshots} away`,
  });
}
