import type { EngineContext } from "#engine/context.ts";
import type { EngineApi } from "#model/engine-api.ts";
import type { SnapshotApi } from "#model/snapshot-api.ts";

/** Snapshots of the index: taken here, and whatever else can be asked about them. */
export function snapshotPart({
  snapshots,
  index,
  now,
}: EngineContext): SnapshotApi & Pick<EngineApi, "takeSnapshot"> {
  return {
    ...snapshots.methods,
    takeSnapshot: (request) => snapshots.take(index, { ...request, now: now() }),
  };
}
