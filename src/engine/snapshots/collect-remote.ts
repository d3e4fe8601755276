import { dropTails } from "#engine/ledger/drop-tails.ts";
import { damagedOnly } from "#engine/snapshots/damaged-only.ts";
import { eachAtOnce } from "#engine/snapshots/each-at-once.ts";
import { partsAtOnce } from "#engine/snapshots/push-snapshot.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import type { SnapshotManifest } from "#engine/snapshots/snapshot-manifest.ts";
import { distinctParts } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotGcReport, SnapshotGcRequest } from "#model/index-snapshot.ts";

export interface CollectRemoteOptions extends Omit<SnapshotGcRequest, "on"> {
  readonly installation: string | undefined;
}

/**
 * Gives up all but the newest snapshots of one installation on a backend, and parts that none of
 * the rest names. While one of those cannot be read all parts stay: they may be named there.
 */
export async function collectRemote(
  remote: RemoteSnapshots,
  { keep, dryRun = false, installation }: CollectRemoteOptions,
): Promise<SnapshotGcReport> {
  const all = await remote.list();
  // Who has an index gives up nothing that is another one's.
  const own =
    installation === undefined
      ? remote.ofOne(all, undefined)
      : all.filter((one) => one.installation === installation);
  const listed = await remote.newestFirst(own);
  const [newest] = listed;
  const kept = listed.slice(0, keep);
  const removed = listed.slice(keep);
  const manifests = await Promise.all(
    kept.map((one) => remote.manifest(one).then(({ manifest }) => manifest, damagedOnly)),
  );
  const whole = manifests.filter((manifest) => manifest !== undefined);
  const areWhole = whole.length === manifests.length;
  const unused =
    newest === undefined || !areWhole ? [] : await unusedParts(remote, newest.installation, whole);
  if (!dryRun && newest !== undefined) {
    // A snapshot goes before its parts: what is listed is whole, whenever this ends.
    await eachAtOnce(removed, partsAtOnce, (one) => remote.removeManifest(one));
    await eachAtOnce(unused, partsAtOnce, ([cid]) => remote.removePart(newest.installation, cid));
    if (areWhole) await dropTails(remote.tails, whole);
  }
  return {
    kept: kept.map(({ cid }) => cid),
    removed: removed.map(({ cid }) => cid),
    partsRemoved: unused.length,
    bytesRemoved: unused.reduce((bytes, [, size]) => bytes + size, 0),
  };
}

async function unusedParts(
  remote: RemoteSnapshots,
  installation: string,
  manifests: readonly SnapshotManifest[],
): Promise<readonly (readonly [cid: string, bytes: number])[]> {
  const named = new Set(manifests.flatMap(distinctParts).map(({ cid }) => cid.toString()));
  return [...(await remote.parts(installation))].filter(([cid]) => !named.has(cid));
}
