import type { ManifestTable, SnapshotPart } from "#engine/snapshots/snapshot-manifest.ts";
import type { SnapshotStore } from "#engine/snapshots/snapshot-store.ts";
import type { TableFiles } from "#index/snapshot/table-files.ts";

/** A table of a snapshot with the files of some of its parts, each read against its CID. */
export async function verifiedTable(
  store: SnapshotStore,
  table: ManifestTable,
  parts: readonly SnapshotPart[] = table.parts,
): Promise<TableFiles> {
  const files = [];
  for (const part of parts) {
    const { range, rows } = part;
    files.push({ range, rows, path: await store.verifiedPart(part) });
  }
  const { key, parts: _parts, ...layout } = table;
  return { ...layout, key: key ?? undefined, files };
}
