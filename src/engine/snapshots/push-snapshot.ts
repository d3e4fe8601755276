import { pushTails } from "#engine/ledger/push-tails.ts";
import { eachAtOnce } from "#engine/snapshots/each-at-once.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import { summarise } from "#engine/snapshots/summarise.ts";
import type { SnapshotPushRequest, SnapshotTransfer } from "#model/index-snapshot.ts";

/** Parts that travel side by side. */
export const partsAtOnce = 4;

/**
 * Sends a snapshot to a backend: the parts that are not there, and then the manifest. Who dies in
 * between leaves parts that nobody reads, and that the next push does not send again.
 */
export async function pushSnapshot(
  store: SnapshotStore,
  remote: RemoteSnapshots,
  { snapshot: reference, full = false }: Omit<SnapshotPushRequest, "to">,
): Promise<SnapshotTransfer> {
  const snapshot = await store.find(reference);
  const { installation } = snapshot.manifest;
  const moved = { partsMoved: 0, bytesMoved: 0 };
  const sendLacking = async (checkAll: boolean): Promise<void> => {
    const there = await remote.parts(installation);
    await eachAtOnce(distinctParts(snapshot.manifest), partsAtOnce, async (part) => {
      const cid = part.cid.toString();
      const known = there.get(cid) === part.bytes;
      if (known && (!checkAll || (await remote.isWhole(installation, part)))) return;
      await remote.sendPart(installation, part, await store.presentPart(part));
      moved.partsMoved += 1;
      moved.bytesMoved += part.bytes;
    });
  };
  await sendLacking(full);
  const listed = (await remote.list()).some(({ cid }) => cid === snapshot.cid);
  if (!listed || full) {
    moved.bytesMoved += await remote.sendManifest(snapshot);
    // Somebody may have cleared away what no manifest named while this one was on its way.
    await sendLacking(false);
  }
  const tailsMoved = await pushTails(store, remote, installation);
  return { ...summarise(snapshot), backend: remote.backend, ...moved, tailsMoved };
}
