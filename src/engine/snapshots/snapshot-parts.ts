import type { SnapshotManifest, SnapshotPart } from "#engine/snapshots/snapshot-manifest.ts";
import type { ObjectRef } from "#model/copy.ts";

/** Under which a part's bytes give its CID. */
export const partProfile = "unixfs-v1-2025";

/** The parts of a snapshot, each once, in the order of the manifest. */
export function distinctParts({ tables }: SnapshotManifest): readonly SnapshotPart[] {
  const parts = tables.flatMap((table) => table.parts);
  return [...new Map(parts.map((part) => [part.cid.toString(), part])).values()];
}

/** A part as the checks of `src/content` know it. */
export function partObject({ cid, bytes }: Pick<SnapshotPart, "cid" | "bytes">): ObjectRef {
  return { cid: cid.toString(), size: bytes, profile: partProfile };
}
