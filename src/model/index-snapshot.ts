/** How often the data of a table changes: parts of different families are written apart. */
export const snapshotFamilies = ["identity", "heat", "copies", "ledger", "state"] as const;

export type SnapshotFamily = (typeof snapshotFamilies)[number];

/** One snapshot of the index, as lists show it. */
export interface SnapshotSummary {
  /** CID of its manifest. */
  readonly cid: string;
  /** ISO 8601. */
  readonly takenAt: string;
  /** The snapshot before it; absent for the first. It may have been given up since. */
  readonly parent?: string;
  readonly objects: number;
  readonly parts: number;
  /** Of all its parts, those it shares with other snapshots too. */
  readonly bytes: number;
  /** How much had been written to the index. */
  readonly commits: number;
  /** Schema of the index. */
  readonly schema: number;
  /** The version that wrote its parts: another one may write the same rows as other bytes. */
  readonly duckdb: string;
}

export interface SnapshotList {
  /** The newest first. */
  readonly snapshots: readonly SnapshotSummary[];
  /** Those whose manifest cannot be read. */
  readonly damaged: readonly string[];
}

export interface SnapshotListRequest {
  /** Those on this backend instead of those here. */
  readonly on?: string;
}

export interface SnapshotRequest {
  /** Writes every part anew instead of trusting that equal fingerprints mean equal rows. */
  readonly full?: boolean;
}

/** What taking a snapshot cost. */
export interface SnapshotReport extends SnapshotSummary {
  /** Nothing had changed: it is the one that was there. */
  readonly unchanged: boolean;
  readonly partsWritten: number;
  /** Of the parts written, and of the manifest. */
  readonly bytesWritten: number;
}

/**
 * How a snapshot is named everywhere: by its CID, the beginning of it, `newest`, or a time (ISO
 * 8601), which means the newest one not after it. One is newer than its parent, whatever their
 * times say.
 */
export type SnapshotReference = string;

/** Asks a snapshot in the place of the index; its clock stands at the time it was taken. */
export interface AsOf {
  readonly snapshot?: SnapshotReference;
}

export interface SnapshotDiffRequest {
  readonly from: SnapshotReference;
  readonly to: SnapshotReference;
}

export interface SnapshotPushRequest {
  readonly snapshot: SnapshotReference;
  /** Name of a backend. */
  readonly to: string;
  /** Reads what is there already too, and sends what is damaged again. */
  readonly full?: boolean;
}

export interface SnapshotPullRequest {
  readonly snapshot: SnapshotReference;
  /** Name of a backend. */
  readonly from: string;
  /** Reads what is here already too, and fetches what is damaged again. */
  readonly full?: boolean;
  /** Only to be asked: it goes again once several others were fetched so after it. */
  readonly passing?: boolean;
}

/** What sending or fetching a snapshot cost. */
export interface SnapshotTransfer extends SnapshotSummary {
  readonly backend: string;
  /** Parts that were not there yet, each read against its CID after it arrived. */
  readonly partsMoved: number;
  readonly bytesMoved: number;
  /** Files of what the ledger recorded after snapshots that were not there yet. */
  readonly tailsMoved: number;
}

export interface SnapshotExportRequest {
  readonly snapshot: SnapshotReference;
  /** On the controller's machine. */
  readonly file: string;
}

/** A snapshot as one CAR. */
export interface SnapshotCar extends SnapshotSummary {
  readonly file: string;
  readonly carBytes: number;
}

/** How one snapshot differs from another. */
export interface SnapshotDiff {
  readonly from: string;
  readonly to: string;
  /** Tables that differ; none when the snapshots hold the same. */
  readonly tables: readonly SnapshotTableDiff[];
}

/** Rows are matched by their key; without one, a changed row counts as removed and added. */
export interface SnapshotTableDiff {
  readonly family: SnapshotFamily;
  readonly table: string;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Parts that had to be read, of all. */
  readonly partsCompared: number;
  readonly parts: number;
}

export interface SnapshotGcRequest {
  /** The newest so many stay. */
  readonly keep: number;
  readonly dryRun?: boolean;
  /** Those on this backend instead of those here. */
  readonly on?: string;
}

export interface SnapshotGcReport {
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  readonly partsRemoved: number;
  readonly bytesRemoved: number;
}
