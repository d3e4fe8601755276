import { pullTails } from "#engine/ledger/pull-tails.ts";
import { eachAtOnce } from "#engine/snapshots/each-at-once.ts";
import { partsAtOnce } from "#engine/snapshots/push-snapshot.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import type { SnapshotPullRequest, SnapshotTransfer } from "#model/index-snapshot.ts";

export interface PullOptions extends Omit<SnapshotPullRequest, "from"> {
  /** Whose snapshots are meant where several installations keep theirs. */
  readonly installation?: string | undefined;
}

/**
 * Fetches a snapshot from a backend: the parts that are not here, each checked against its CID
 * before it gets its name. The snapshot appears when all of them are there; who dies before that
 * goes on where it was.
 */
export async function pullSnapshot(
  store: SnapshotStore,
  remote: RemoteSnapshots,
  { snapshot: reference, full = false, passing = false, installation }: PullOptions,
): Promise<SnapshotTransfer> {
  const snapshot = await remote.manifest(await remote.find(reference, installation));
  const { manifest } = snapshot;
  const moved = { partsMoved: 0, bytesMoved: 0 };
  await eachAtOnce(distinctParts(manifest), partsAtOnce, async (part) => {
    const cid = part.cid.toString();
    const known = await (full ? store.isWhole(cid, part.bytes) : store.hasPart(cid, part.bytes));
    if (known) return;
    await store.receivePart(cid, remote.readPart(manifest.installation, part));
    moved.partsMoved += 1;
    moved.bytesMoved += part.bytes;
  });
  const { bytes } = await store.publish(manifest);
  moved.bytesMoved += bytes;
  const tailsMoved = passing ? 0 : await pullTails(store, remote, manifest);
  return { ...summarise(snapshot), backend: remote.backend, ...moved, tailsMoved };
}
