import { access } from "node:fs/promises";
import type { Config } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
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
  const [newest, ...others] = await new SnapshotStore(snapshots).kept();
  if (newest === undefined) return;
  const { takenAt: taken, installation } = newest.manifest;
  const isOnly = others.every(({ manifest }) => manifest.installation === installation);
  // Of several installations `restore` wants to be told which.
  const which = isOnly ? "newest" : "CID; see thermocline index snapshot ls";
  throw new EngineError("REFUSED", `${index} is gone; its newest snapshot is of ${taken}`, {
    hint:
      `bring it back: thermocline index snapshot restore ${which}; ` +
      `to begin with an empty index, move ${snapshots} away`,
  });
}
