import { tailName } from "#engine/ledger/ledger-tail.ts";
import { snapshotEnd } from "#engine/ledger/snapshot-end.ts";
import type { RemoteSnapshots } from "#engine/snapshots/remote-snapshots.ts";
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
  // What was given up there, with snapshots that had it all, is not sent again.
  const known =
    there.length > 0
      ? Math.min(...there.map(({ first }) => first)) - 1
      : await newestEnd(remote, installation);
  const needed = lacking.filter(({ last }) => last > known);
  // Those sent first are of use without the others.
  for (const tail of needed.toSorted((a, b) => a.first - b.first)) {
    await remote.tails.send(installation, tail, store.tails.path(installation, tail));
  }
  return needed.length;
}

async function newestEnd(remote: RemoteSnapshots, installation: string): Promise<number> {
  const newest = (await remote.list()).find((one) => one.installation === installation);
  // Without a snapshot there is nothing there that a tail could go on from.
  return newest === undefined ? Infinity : snapshotEnd((await remote.manifest(newest)).manifest);
}
