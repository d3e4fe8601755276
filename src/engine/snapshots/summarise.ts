import type { StoredSnapshot } from "#engine/snapshots/snapshot-store.ts";
import type { SnapshotSummary } from "#model/index-snapshot.ts";

/** What lists show of a snapshot. */
export function summarise({ cid, manifest }: StoredSnapshot): SnapshotSummary {
  const { takenAt, parent, commits, schema, duckdb, tables } = manifest;
  const parts = tables.flatMap((table) => table.parts);
  const objects = tables.find(({ table, family }) => table === "objects" && family === "identity");
  return {
    cid,
    takenAt,
    ...(parent === null ? {} : { parent: parent.toString() }),
    objects: objects?.parts.reduce((rows, part) => rows + part.rows, 0) ?? 0,
    parts: parts.length,
    bytes: parts.reduce((bytes, part) => bytes + part.bytes, 0),
    commits,
    schema,
    duckdb,
  };
}
