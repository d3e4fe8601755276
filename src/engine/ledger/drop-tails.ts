import type { LedgerTail } from "#engine/ledger/ledger-tail.ts";
import { snapshotEnd } from "#engine/ledger/snapshot-end.ts";
import type { SnapshotManifest } from "#engine/snapshots/snapshot-manifest.ts";

/** Tails in one place, local or not. */
interface Tails {
  list(installation: string): Promise<readonly LedgerTail[]>;
  drop(installation: string, tail: LedgerTail): Promise<void>;
}

/** Gives up tails all of whose entries are in every snapshot that stays. */
export async function dropTails(tails: Tails, kept: readonly SnapshotManifest[]): Promise<void> {
  const byInstallation = Map.groupBy(kept, ({ installation }) => installation);
  for (const [installation, manifests] of byInstallation) {
    const end = Math.min(...manifests.map(snapshotEnd));
    for (const tail of await tails.list(installation)) {
      if (tail.last <= end) await tails.drop(installation, tail);
    }
  }
}
