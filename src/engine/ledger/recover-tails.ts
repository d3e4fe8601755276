import { createReadStream } from "node:fs";
import { addressFile } from "#content/address-file.ts";
import type { LedgerTail } from "#engine/ledger/ledger-tail.ts";
import { entriesBefore, tailsAfter } from "#engine/ledger/tail-chain.ts";
import { partProfile } from "#engine/snapshots/snapshot-parts.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import type { RecoveredEntries } from "#index/ledger/recover-entries.ts";
import type { ObjectIndex } from "#index/object-index.ts";

/** What the tails behind a snapshot gave back. */
export interface RecoveredTails extends RecoveredEntries {
  /** Files that hold later entries, and do not go on where this ledger ends. */
  readonly leftOut: number;
}

/** Has an index that was made from a snapshot know what its ledger recorded afterwards. */
export async function recoverTails(
  index: ObjectIndex,
  store: SnapshotStore,
): Promise<RecoveredTails> {
  const installation = await index.terms.installation();
  const last = await index.ledger.last();
  const later = (await store.tails.list(installation)).filter((tail) => tail.last > last);
  const chain = await fitting(index, store, installation, later);
  const files = chain.map((tail) => store.tails.path(installation, tail));
  const recovered = await index.ledger.recover(files);
  const end = last + recovered.entries;
  return { ...recovered, leftOut: later.filter((tail) => tail.last > end).length };
}

/** Tails whose bytes and entries are what their names say, as far as they go on. */
async function fitting(
  index: ObjectIndex,
  store: SnapshotStore,
  installation: string,
  tails: readonly LedgerTail[],
): Promise<readonly LedgerTail[]> {
  const last = await index.ledger.last();
  const checks = await index.ledger.checks([...entriesBefore(tails, last), last]);
  const chain = tailsAfter(tails, { last, checks });
  for (const tail of chain) {
    const path = store.tails.path(installation, tail);
    const { cid } = await addressFile(createReadStream(path), partProfile);
    const isWhole = cid === tail.cid;
    // Where it begins before the index ends, both have that entry.
    const isOwn = async () =>
      tail.first > last ||
      (await index.ledger.checksInFile(path, [last])).get(last) === checks.get(last);
    if (isWhole && (await isOwn())) continue;
    const others = tails.filter((other) => other !== tail);
    return await fitting(index, store, installation, others);
  }
  return chain;
}
