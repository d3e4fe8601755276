import type { SnapshotManifest } from "#engine/snapshots/snapshot-manifest.ts";

/** Number of the last entry of the ledger that a snapshot has; -1 for an empty ledger. */
export function snapshotEnd({ tables }: Pick<SnapshotManifest, "tables">): number {
  const entries = tables
    .filter(({ table }) => table === "ledger_entries" || table === "recovered_entries")
    .flatMap(({ parts }) => parts.map(({ rows }) => rows));
  // They are numbered from 0 on without a gap.
  return entries.reduce((sum, rows) => sum + rows, 0) - 1;
}
