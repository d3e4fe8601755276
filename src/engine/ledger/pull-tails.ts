import { tailName } from "#engine/ledger/ledger-tail.ts";
import { snapshotEnd } from "#engine/ledger/snapshot-end.ts";
import { damagedOnly } from "#engine/snapshots/damaged-only.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import type { SnapshotManifest } from "#engine/snapshots/snapshot-manifest.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";

/** Fetches the tails behind a snapshot that are not here; says how many. */
export async function pullTails(
  store: SnapshotStore,
  remote: RemoteSnapshots,
  manifest: SnapshotManifest,
): Promise<number> {
  const { installation } = manifest;
  const here = new Set((await store.tails.list(installation)).map(tailName));
  const end = snapshotEnd(manifest);
  let fetched = 0;
  for (const tail of await remote.tails.list(installation)) {
    if (tail.last <= end || here.has(tailName(tail))) continue;
    const stream = remote.tails.read(installation, tail);
    // Those before a damaged one are of use without it.
    const received = await store.tails
      .receive(installation, tail, stream)
      .then(() => true, damagedOnly);
    if (received === true) fetched += 1;
  }
  return fetched;
}
