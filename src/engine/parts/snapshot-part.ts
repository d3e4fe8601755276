import { dataPaths } from "#config/data-paths.ts";
import type { EngineContext } from "#engine/context.ts";
import { indexOptions } from "#engine/open-index.ts";
import { collectGarbage } from "#engine/snapshots/collect-garbage.ts";
import { diffSnapshots } from "#engine/snapshots/diff-snapshots.ts";
import { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import { takeSnapshot } from "#engine/snapshots/take-snapshot.ts";
import type { EngineApi } from "#model/engine-api.ts";

type SnapshotPart = Pick<
  EngineApi,
  "takeSnapshot" | "snapshots" | "diffSnapshots" | "collectSnapshots"
>;

/** Snapshots of the index, in the data directory. */
export function snapshotPart(context: EngineContext): SnapshotPart {
  const store = new SnapshotStore(dataPaths(context.config.dataDirectory).snapshots);
  let turn: Promise<unknown> = Promise.resolve();
  // What one is writing, the other must not clear away.
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work);
    turn = next.catch(() => undefined);
    return await next;
  };
  return {
    takeSnapshot: (request) =>
      inTurn(() => takeSnapshot(context.index, store, { ...request, now: context.now() })),
    snapshots: async () => {
      const { snapshots, damaged } = await store.list();
      return { snapshots: snapshots.map(summarise), damaged };
    },
    diffSnapshots: (request) =>
      inTurn(() => diffSnapshots(store, request, indexOptions(context.config))),
    collectSnapshots: (request) => inTurn(() => collectGarbage(store, request)),
  };
}
