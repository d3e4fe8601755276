import type { UnfinishedWrites } from "#model/driver.ts";
import type { DriftReport } from "#model/index-store.ts";
import type { RowFile } from "#model/row-file.ts";

/** What may be asked of the engine about what backends hold. */
export interface InventoryApi {
  /** Compares what a backend holds with the index, and corrects the index. */
  importInventory(request: InventoryRequest): AsyncIterable<InventoryProgress>;
  /** The newest inventory of each backend that has one. */
  inventories(): Promise<readonly InventoryReport[]>;
  /** What the newest inventories found different, in pieces. */
  drift(request: DriftRequest): AsyncIterable<readonly DriftEntry[]>;
  exportDrift(request: DriftExportRequest): Promise<RowFile>;
}

/** What an inventory may find different from what the index believed. */
export const driftKinds = ["lost", "unexpected", "changed"] as const;
export type DriftKind = (typeof driftKinds)[number];

/** In which way a copy is another one than the index believed. */
export const driftDetails = ["returned", "form", "size", "corrupt"] as const;
export type DriftDetail = (typeof driftDetails)[number];

/** One copy that is not as the index believed. What is not known is absent. */
export interface DriftEntry {
  readonly backend: string;
  readonly kind: DriftKind;
  /**
   * Of `changed`: it had been lost and is there again, has another form or size, or is known to
   * be corrupt and has not been replaced.
   */
  readonly detail?: DriftDetail;
  readonly cid: string;
  readonly path?: string;
  readonly locator: string;
  readonly form?: string;
  /** Bytes that were found; absent when nothing was. */
  readonly bytes?: number;
  /** Bytes that the index believed in. */
  readonly believedBytes?: number;
}

export interface InventoryRequest {
  readonly backend: string;
  /**
   * Instead of a listing: the manifest.json of an S3 Inventory of its bucket, by its path or as
   * `s3://BUCKET/KEY`; also the folder in a bucket that S3 writes inventories to: the newest one.
   */
  readonly s3Inventory?: string;
  /** Say what differs and change nothing. */
  readonly dryRun?: boolean;
  /** Begin anew, although an inventory was interrupted. */
  readonly restart?: boolean;
}

/** What an inventory found. Times are ISO 8601. */
export interface InventoryReport extends DriftReport {
  /** `listing`, or the S3 Inventory that was read. */
  readonly source: string;
  /** What is listed is taken to be as of then. */
  readonly begunAt: string;
  readonly endedAt: string;
  /** Entries that are no copies of ours. */
  readonly foreign: number;
}

export interface InventoryProgress {
  readonly type: "progress" | "summary";
  /** What is being done: reading the list, asking the backend again, comparing. */
  readonly phase: "listing" | "checking" | "comparing";
  readonly listed: number;
  /** Copies that the index believes in: about so many will be listed. */
  readonly total: number;
  /** Of the copies that were listed, and of those that the index believes in. */
  readonly bytes: number;
  readonly bytesTotal: number;
  readonly foreign: number;
  /** Entries that an interrupted inventory had listed. */
  readonly earlier: number;
  /** When that one began to list, which is what it goes on with. ISO 8601. */
  readonly earlierBegunAt?: string;
  readonly elapsedMs: number;
  /** With the summary. */
  readonly report?: InventoryReport;
  /** With the summary of a listing, where killed writers may leave parts behind. */
  readonly unfinished?: UnfinishedWrites;
  /** With the summary, where the backend may lock copies: what it said when it was asked. */
  readonly locks?: AskedLocks;
}

/** What a backend said of locks of its own on copies, when it was asked about some of them. */
export interface AskedLocks {
  readonly asked: number;
  readonly locked: number;
  /** Why not all were asked about that should have been. */
  readonly problem?: string;
}

export interface DriftRequest {
  readonly backend?: string;
  readonly kind?: DriftKind;
  /** The first so many; all without it. */
  readonly limit?: number;
}

export interface DriftExportRequest extends DriftRequest {
  /** On the controller's machine; its extension says the format. */
  readonly file: string;
}
