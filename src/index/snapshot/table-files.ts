import type { SnapshotTable } from "#index/snapshot/snapshot-tables.ts";

/** A table of a snapshot with the verified files of its parts. */
export interface TableFiles extends SnapshotTable {
  readonly files: readonly PartFile[];
}

export interface PartFile {
  readonly range: number;
  readonly rows: number;
  readonly path: string;
}
