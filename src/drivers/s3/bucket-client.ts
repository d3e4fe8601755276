import type { ByteStream } from "#model/driver.ts";

/**
 * The little of S3 that the driver needs: a bucket, with keys relative to nothing. Everything
 * throws `EngineError`. The only implementation is `aws-bucket-client.ts`.
 */
export interface BucketClient {
  /** What answered, e.g. its `Server` header; known after the first call. */
  readonly server: string;
  /** Undefined when the key is absent, and only then: a missing bucket is an error. */
  head(
    key: string,
    signal: AbortSignal | undefined,
    versionId?: string,
  ): Promise<HeadResult | undefined>;
  /** Whether the bucket keeps versions, or did: known for a minute. No where nobody may ask. */
  keepsVersions(signal: AbortSignal | undefined): Promise<boolean>;
  /** Every version of a key, in any order. FORBIDDEN without the right to list them. */
  versions(key: string, signal: AbortSignal | undefined): Promise<readonly KeyVersion[]>;
  /** Whether the bucket can lock objects: known for a minute. Unknown where nobody may ask. */
  keepsLocks(signal: AbortSignal | undefined): Promise<"yes" | "no" | "unknown">;
  /** How much of the locks on this key the credentials may see. */
  locksShown(key: string, signal: AbortSignal | undefined): Promise<LocksShown>;
  /** What forbids the removal of one version of a key, as far as the key's rights show it. */
  versionLock(
    key: string,
    versionId: string,
    signal: AbortSignal | undefined,
  ): Promise<ObjectLock | undefined>;
  /** The SHA-256 that the service took of what it received; composite for an upload in parts. */
  checksum(key: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** Asks an archive for a readable copy; harmless when that was asked before. */
  restore(key: string, request: RestoreRequest, signal: AbortSignal | undefined): Promise<void>;
  /** NOT_FOUND when absent. The range is half-open and not empty. */
  get(key: string, range: ByteRange | undefined, signal: AbortSignal | undefined): ByteStream;
  /** One page of keys after a key, in the order of their bytes. */
  list(request: ListRequest, signal: AbortSignal | undefined): Promise<ListPage>;
  /** Stores bytes at once. ALREADY_EXISTS when told to create and the key is there. */
  put(
    request: PutRequest,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<SentChecksum>;
  /** Has the service copy an object whole. */
  copy(request: CopyRequest, signal: AbortSignal | undefined): Promise<void>;
  /**
   * Begins an upload in parts. One whose parts are sent goes on with what was left unfinished of
   * this key, where that is ours for sure; one whose parts the service copies begins anew and has no checksums.
   */
  begin(
    request: PutRequest,
    parts: "sent" | "copied",
    signal: AbortSignal | undefined,
  ): Promise<PartUpload>;
  /** Uploads of keys with the prefix that were neither completed nor given up. */
  unfinished(prefix: string, signal: AbortSignal | undefined): AsyncIterable<UnfinishedUpload>;
  /** With an ETag only what has it: where the service knows conditions, CONFLICT otherwise. */
  remove(
    key: string,
    version: { readonly versionId?: string | undefined; readonly etag?: string | undefined },
    signal: AbortSignal | undefined,
  ): Promise<void>;
  close(): void;
}

/** An upload in parts: invisible until completed. */
export interface PartUpload {
  /** Numbers count from 1. A part that is there already is not sent again. */
  part(number: number, bytes: Uint8Array, signal: AbortSignal): Promise<"sent" | "there">;
  /** A part that the service copies from an object it has. */
  copyPart(
    number: number,
    source: CopySource,
    range: ByteRange,
    signal: AbortSignal | undefined,
  ): Promise<void>;
  /**
   * Makes the object visible. ALREADY_EXISTS when told to create and the key is there; CONFLICT
   * when another's object lies under a shared key then.
   */
  complete(signal: AbortSignal | undefined): Promise<SentChecksum>;
  /** Gives back the room of all parts. */
  abort(): Promise<void>;
}

/** An upload that somebody began: it may go on, or have been left by a process that died. */
export interface UnfinishedUpload {
  readonly key: string;
  readonly begunAt: Date;
  parts(): Promise<readonly { readonly bytes: number; readonly storedAt: Date }[]>;
  abort(): Promise<void>;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface HeadResult {
  readonly bytes: number;
  /** Only in buckets with versions; some services do not tell that of `null`, as AWS does. */
  readonly versionId: string | undefined;
  /** Where it lies in an archive class. */
  readonly archive: ArchiveState | undefined;
  /** What forbids its removal, as far as the key's rights show it. */
  readonly lock: ObjectLock | undefined;
  /** Changes when somebody stores something else there; proves nothing about the bytes. */
  readonly etag: string;
  /** By the clock of the service, to the second. */
  readonly modifiedAt: Date | undefined;
  /** What was kept with it; names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface KeyVersion {
  readonly versionId: string;
  /** It says that the key was deleted, and holds nothing. */
  readonly isMarker: boolean;
  /** It is what the key stands for now. */
  readonly isLatest: boolean;
}

/**
 * `some`: retentions or legal holds alone; `unlockable`: the service says that nothing is ever locked
 * here; `unknown`: nothing lies under this key, or the service does not say.
 */
export type LocksShown = "all" | "some" | "none" | "unlockable" | "unknown";

export interface ObjectLock {
  readonly legalHold: boolean;
  readonly retention: { readonly mode: string; readonly until: Date } | undefined;
}

/** An object of the same service, in this bucket or another. */
export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
}

export interface CopyRequest extends PutRequest {
  readonly source: CopySource;
}

export interface ArchiveState {
  readonly storageClass: string;
  /** A restore was asked for and has not ended. */
  readonly restoring: boolean;
  /** Until when a restored copy can be read (as the service words it), if there is one. */
  readonly readableUntil: string | undefined;
  /** Whether a restored copy stays, so that no number of days is asked for. */
  readonly isPermanent: boolean;
}

export interface RestoreRequest {
  readonly days: number | undefined;
  readonly tier: "Expedited" | "Standard" | "Bulk";
}

/** What `checksum` gives when the object is as it was sent; undefined when none was sent. */
export type SentChecksum = string | undefined;

export interface ListRequest {
  readonly prefix: string;
  /** Whether keys in folders below the prefix are listed too. */
  readonly folders: boolean;
  /** Begin after this key; ignored when going on with a token. */
  readonly after: string | undefined;
  /** Of the page before. */
  readonly token: string | undefined;
  readonly limit: number;
}

export interface ListPage {
  readonly entries: readonly { readonly key: string; readonly bytes: number }[];
  /** Where keys in folders are not listed: those folders, each with its slash. */
  readonly folders: readonly string[];
  /** For the next page; undefined at the end. */
  readonly token: string | undefined;
}

export interface SharedKey {
  /** Only uploads begun since then are gone on with; undefined: none. */
  readonly since: Date | undefined;
}

export interface PutRequest {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Create only: never replace what another writer has just stored. */
  readonly create: boolean;
  /** Replace only what has this ETag. */
  readonly replaces?: string | undefined;
  /** Others may store under this key too: what they do there is told from what is ours. */
  readonly shared?: SharedKey | undefined;
  /** It is read now and then, wherever copies lie: in the usual class, and with no tags. */
  readonly isRecord?: boolean;
}
