import { type LedgerTail, tailName } from "#engine/ledger/ledger-tail.ts";
import { snapshotEnd } from "#engine/ledger/snapshot-end.ts";
import { damagedOnly } from "#engine/snapshots/damaged-only.ts";
import type { ListedSnapshot } from "#engine/snapshots/manifest-name.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
import type { SnapshotManifest } from "#engine/snapshots/snapshot-manifest.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";

/** Sends the tails that a backend lacks of those that go on from snapshots there; says how many. */
export async function pushTails(
  store: SnapshotStore,
  remote: RemoteSnapshots,
  installation: string,
): Promise<number> {
  const local = await store.tails.list(installation);
  if (local.length === 0) return 0;
  const there = await remote.tails.list(installation);
  const names = new Set(there.map(tailName));
  const lacking = local.filter((tail) => !names.has(tailName(tail)));
  if (lacking.length === 0) return 0;
  // What was given up there, since all snapshots there have it, is not sent again.
  const known = await endOfAll(store, remote, installation, there);
  const needed = lacking.filter(({ last }) => last > known);
  // Those sent first are of use without the others.
  for (const tail of needed.toSorted((a, b) => a.first - b.first)) {
    await remote.tails.send(installation, tail, store.tails.path(installation, tail));
  }
  return needed.length;
}

/**
 * The end of the snapshot there that ends first. Not that of the newest: once an older one was
 * restored, the newest may end far behind the entries of another history than theirs.
 */
async function endOfAll(
  store: SnapshotStore,
  remote: RemoteSnapshots,
  installation: string,
  there: readonly LedgerTail[],
): Promise<number> {
  const listed = (await remote.list()).filter((one) => one.installation === installation);
  // Without a snapshot, only tails are there that a tail could go on from.
  if (listed.length === 0) return Math.min(...there.map(({ first }) => first - 1));
  const here = new Map((await store.list()).snapshots.map(({ cid, manifest }) => [cid, manifest]));
  const ends = listed.map(async (one) => {
    const manifest = here.get(one.cid) ?? (await read(remote, one));
    // Where a damaged one ends is not known: it may lack everything.
    return manifest === undefined ? -1 : snapshotEnd(manifest);
  });
  return Math.min(...(await Promise.all(ends)));
}

async function read(
  remote: RemoteSnapshots,
  listed: ListedSnapshot,
): Promise<SnapshotManifest | undefined> {
  return await remote.manifest(listed).then(({ manifest }) => manifest, damagedOnly);
}
