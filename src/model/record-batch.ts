import type { AsOf } from "#model/index-snapshot.ts";

/** A column of record batches; `type` as Arrow writes it: `Int64`, `Timestamp<MICROSECOND>`. */
export interface BatchColumn {
  readonly name: string;
  readonly type: string;
}

/** A piece of Arrow's interprocess format, and how many rows it has. */
export interface ArrowPiece {
  readonly columns: readonly BatchColumn[];
  readonly rows: number;
  readonly bytes: readonly Uint8Array[];
}

/** A published Arrow file: what the registry says of it. */
export interface BatchRecord {
  /** Of the file's bytes, under UnixFS profile `unixfs-v1-2025`. */
  readonly cid: string;
  readonly rows: number;
  readonly bytes: number;
  /** ISO 8601: when it was published last. */
  readonly created: string;
  readonly columns: readonly BatchColumn[];
  readonly tags: BatchTags;
}

export type BatchTags = Readonly<Record<string, string>>;

/** A record as a subscriber gets it: `cursor` is where to go on after it. */
export interface ToldBatch {
  readonly cursor: string;
  readonly batch: BatchRecord;
}

/** Where rows come from: exactly one of these. */
export interface BatchSource {
  /** One SELECT over the views of the index. */
  readonly query?: string;
  /** CID of a plan that was applied, or the file of a saved one. */
  readonly plan?: string;
  /** An Arrow file on the controller's machine. */
  readonly file?: string;
}

export interface BatchPublishRequest extends BatchSource, AsOf {
  readonly tags?: BatchTags;
}

export interface BatchListRequest {
  /** Only batches that have these tags. */
  readonly tags?: BatchTags;
  /** The newest so many. */
  readonly limit: number;
}

export interface BatchExportRequest {
  /** CID of a batch, the beginning of it, or `newest`. */
  readonly batch: string;
  /** On the controller's machine; ends in .car, or as files of rows do. */
  readonly file: string;
}

/** What a file was found to be when its bytes were read again. */
export interface BatchCheck {
  readonly cid: string;
  readonly state: "intact" | "damaged" | "missing";
  readonly bytes: number;
}

export interface BatchGcRequest {
  /** Batches that were published before so long go. */
  readonly olderThanMs?: number;
  /** The newest so many stay, whatever their age. */
  readonly keep?: number;
  readonly dryRun?: boolean;
}

export interface BatchGcReport {
  readonly kept: number;
  /** Of those, what would have gone and holds rows of a plan or snapshot that is in use. */
  readonly inUse: number;
  readonly removed: readonly string[];
  readonly bytesRemoved: number;
  /** Unfinished files of publishers that ended, and files that no record names. */
  readonly leftovers: number;
}
