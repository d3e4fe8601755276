import type { ZodType } from "zod";
import type {
  Confidence,
  Evidence,
  Form,
  ObjectRef,
  StorageLock,
  StoredCopy,
} from "#model/copy.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { GarbageStep } from "#model/garbage.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { StorageName } from "#model/same-storage.ts";

/**
 * One kind of storage, opened for one backend.
 *
 * Every method may be called twice, or from two nodes at once, with the same effect as once.
 * Methods throw `EngineError` with the code that fits; nothing else escapes. An operation that
 * a driver cannot do throws `NOT_SUPPORTED`; it never returns quietly. Nothing blocks for
 * hours: slow services answer with a state that is asked again later. `options.signal` stops
 * any call soon, leaving nothing half-written visible.
 */
export interface Driver extends Partial<NamedFiles>, Partial<ObjectGroups> {
  readonly kind: string;
  readonly capabilities: DriverCapabilities;
  /**
   * True when `write` has done with each piece of a body when it asks for the next, so that the
   * memory of pieces may be filled again meanwhile.
   */
  readonly releasesPieces?: boolean;
  /** True when `write` calls `onPart` for all of a body. */
  readonly tellsParts?: boolean;
  /** True when `read` heeds `asFile`. */
  readonly readsFiles?: boolean;

  /** Reaches the storage and says what is free. Throws UNAVAILABLE, UNAUTHENTICATED, FORBIDDEN. */
  status(options?: CallOptions): Promise<BackendStatus>;

  /** The copy as it is now, or undefined when there is none. Cheap: reads no content. */
  stat(object: ObjectRef, options?: CallOptions): Promise<StoredCopy | undefined>;

  /**
   * Streams the stored bytes in the form they are stored in (`copy.form`). Not verified: the
   * caller pipes the stream through the verifier of `src/content`. NOT_FOUND when absent.
   */
  read(object: ObjectRef, copy: StoredCopy, options?: ReadOptions): Promise<ByteStream>;

  /**
   * Stores the body durably and atomically: visible whole after return, invisible before, and
   * discarded when the body throws. An existing intact-looking copy (same size) is returned as
   * it is, unless `options.replace`. NO_SPACE when it would exceed the capacity.
   */
  write(object: ObjectRef, body: WriteBody, options?: WriteOptions): Promise<StoredCopy>;

  /**
   * Checks a copy at the storage itself. `listed` must see it exist with the right size,
   * `verified` must recompute its identity from every byte (or rest on a checksum that the
   * storage recomputed itself). Findings are returned, reachability problems throw.
   */
  verify(object: ObjectRef, level: Confidence, options?: VerifyOptions): Promise<Evidence>;

  /**
   * Removes the copy. Only the removal handler calls this, with the permit that allows it.
   * Returns "absent" when there was nothing (so that a repeated removal is harmless). Asks
   * `options.confirm` at the last moment before each request that takes something away. When the
   * storage itself holds the copy fast, fails with an error that `isHeldByStorage` knows.
   */
  remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options?: RemoveOptions,
  ): Promise<"removed" | "absent">;

  /**
   * Streams everything the backend holds, in a stable order, resumable after `cursor`. Content that
   * it holds several times may be listed several times: the first of them is its copy.
   */
  list(options?: ListOptions): AsyncIterable<ListedCopy>;

  /**
   * Names the service and the account that this driver uses, the same for drivers that can copy
   * from each other without a byte passing through here; undefined where none can.
   */
  readonly account?: string | undefined;
  /**
   * Has the service itself copy a copy that another driver of the same `account` holds. What it
   * copies nobody has verified: the caller checks it. NOT_SUPPORTED when the service will not.
   */
  copyWithin?(object: ObjectRef, from: StoredCopy, options?: WriteOptions): Promise<StoredCopy>;

  /** True when groups are quicker than `copyWithin` for small objects of the same `account`. */
  readonly groupsWithinAccount?: boolean;

  /** Undefined where nobody can tell which storage it is: then it counts as one of its own. */
  readonly identity?: StorageIdentity | undefined;

  /** What would stand in the way of work here although `status` answers: for doctor. */
  troubles?(options?: CallOptions): Promise<readonly BackendTrouble[]>;

  /** Releases connections. No call follows. */
  close(): Promise<void>;

  /**
   * Gives up writes that were begun, never ended and not touched for as long as the backend's
   * options say, and says what there was. Present exactly when `capabilities.unfinishedWrites`.
   */
  clearUnfinished?(options?: ClearOptions): Promise<UnfinishedWrites>;

  /**
   * Asks for a copy in an archive to be made readable, and answers at once whether it is. Asking
   * again costs nothing. A `read` that needs it fails with `isArchived` (src/model/archived.ts).
   * Present exactly when `capabilities.thaw`.
   */
  thaw?(object: ObjectRef, copy: StoredCopy, options?: CallOptions): Promise<ThawState>;

  /**
   * What the storage itself lets nobody remove the copy for, now; null when there is no lock on
   * it, undefined when there is no copy, or when our credentials may not see all locks and are
   * shown none. Reads no content. Present exactly when `capabilities.locks`.
   */
  lockOf?(object: ObjectRef, options?: CallOptions): Promise<StorageLock | null | undefined>;

  /**
   * Frees the room of what no copy needs, and says how far it is: at the beginning, now and then,
   * and, unless dry, at the end. Takes no copy away. Present exactly when `capabilities.garbage`.
   */
  collectGarbage?(options?: ClearOptions): AsyncIterable<GarbageStep>;

  /** Present exactly when `capabilities.inventoryFiles` says of which kind. */
  readonly inventoryFiles?: InventoryFiles;
}

/**
 * Files by name beside the copies: what the engine itself keeps on a backend, such as snapshots of
 * the index. A facet: a driver has all of these methods or none. Named files are no copies: they
 * are not listed as such, and do not count against the capacity. Names are lower-case words
 * of letters, digits, `.` and `-`, with `/` between them.
 */
export interface NamedFiles {
  /** Whole after return, unchanged when the stream throws. Replaces what is there. */
  writeNamed(name: string, body: NamedBody, options?: CallOptions): Promise<void>;
  /** Not verified. NOT_FOUND, at once or from the stream, when there is none. */
  readNamed(name: string, options?: CallOptions): Promise<ByteStream>;
  /** All files in a folder and the folders below it, by name. */
  listNamed(folder: string, options?: CallOptions): Promise<readonly NamedFile[]>;
  /** Harmless when there is none. */
  removeNamed(name: string, options?: CallOptions): Promise<void>;
}

export interface NamedBody {
  /** CORRUPT when the stream has another length. */
  readonly bytes: number;
  readonly stream: ByteStream;
}

export interface NamedFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Many small objects in one call, where asking for each alone costs several times what is done with
 * its bytes. A facet: a driver has both methods or none. They do only what is plain, and leave out
 * (undefined) whatever stands in the way: callers come back to that with `stat`, `read`, `write` and
 * `verify`, which say what it is. All objects of a group have one profile, and together at most
 * `groupObjectsMax` objects and `groupBytesMax` bytes. The signal leaves out the rest soon. What was
 * done until something stood in the way comes back; `onError` hears what that was.
 */
export interface ObjectGroups {
  /** The bytes of those that are here as files, each checked to be its object's. */
  readGroup(objects: readonly ObjectRef[], options?: GroupOptions): Promise<GroupBytes>;
  /**
   * Stores files as `write` does, durably and atomically each, and then has each `verified`. Takes
   * an intact copy that is there for its own. The bytes are known to be those of the objects.
   */
  storeGroup(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    options?: GroupOptions,
  ): Promise<readonly (GroupCopy | undefined)[]>;
}

export interface GroupOptions extends CallOptions {
  /** Leaves out what has not begun, where a driver begins one object after the other. */
  readonly drain?: AbortSignal;
  /** Hears each error that left something out, which whoever counts or limits calls has to know. */
  readonly onError?: (error: EngineError) => void;
}

export const groupObjectsMax = 256;
/** Fewer are copied one by one in the time in which a thread would start. */
export const groupObjectsMin = 16;
export const groupBytesMax = 1024 * 1024;

/** Bytes of a group in its order, in memory that may be used again once it is disposed of. */
export interface GroupBytes extends Disposable {
  readonly bytes: readonly (Uint8Array | undefined)[];
}

/** An object of a group that is stored and verified. */
export interface GroupCopy {
  readonly copy: StoredCopy;
  readonly evidence: Evidence;
  /** False when an intact copy was there before. */
  readonly moved: boolean;
}

/** How to read lists that the service itself writes of what it holds. */
export interface InventoryFiles {
  /** What such a list must be of. */
  readonly bucket: string;
  /** The copy under a key, or undefined when it is none of ours. */
  copyOf(key: string, bytes: number): Omit<ListedCopy, "cursor"> | undefined;
  /** A file of such a list, where the service wrote it. NOT_FOUND, from the stream, when absent. */
  read(file: BucketFile, options?: CallOptions): ByteStream;
  /** The keys that begin with that of the file, in the order of their bytes. */
  keys(beginning: BucketFile, options?: CallOptions): AsyncIterable<string>;
}

/** A key in any bucket that the backend's credentials reach. */
export interface BucketFile {
  readonly bucket: string;
  readonly key: string;
}

export type ByteStream = AsyncIterable<Uint8Array>;

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface VerifyOptions extends CallOptions {
  /**
   * The copy as `write` has just returned it: a check that reads all of it need not look for it
   * first. When it is gone again, it is found absent all the same.
   */
  readonly written?: StoredCopy;
  /**
   * Hears which storages say that they hold the copy, by names of `identity`, where a backend
   * consists of several that come and go.
   */
  readonly onHolders?: (names: readonly string[]) => void;
}

export interface RemoveOptions extends CallOptions {
  /**
   * Throws when the copy may not be removed any more. The process may have stood still since the
   * call began, so that neither its timers nor its signal have told it yet.
   */
  readonly confirm?: () => Promise<void>;
}

export interface ReadOptions extends CallOptions {
  /** Half-open byte range of the stored form; needs the capability `ranges`. */
  readonly range?: { readonly start: number; readonly end: number };
  /**
   * The bytes of the file that a copy of the form `dag` holds, instead of its blocks; `range` is one
   * of these. Needs `readsFiles`. NOT_SUPPORTED, from the call or from the stream, when it holds no
   * file or one that is cut in another way than its profile cuts files.
   */
  readonly asFile?: boolean;
  /**
   * The consumer has done with each piece when it asks for the next, so that its memory may be
   * filled again. Without this, pieces stay as they are.
   */
  readonly reuse?: boolean;
}

export interface WriteBody {
  readonly form: Form;
  /** Exact bytes of the stored form when known before, else undefined. */
  readonly bytes: number | undefined;
  readonly stream: ByteStream;
  /**
   * The same body, where an earlier try has left its beginning at the target: the rest is all
   * that is read at the source. Absent where the source gives no ranges. Asked for instead
   * of `stream`, never beside it.
   */
  readonly resume?: (left: LeftBytes) => ByteStream;
}

/** The beginning of a body, which nobody has checked. */
export interface LeftBytes {
  readonly bytes: number;
  readonly stream: ByteStream;
}

export interface WriteOptions extends CallOptions {
  readonly replace?: boolean;
  /**
   * Asked when the write fails: true when it will be tried again, so that what was stored of the
   * body may stay, unseen, and is not sent a second time. Without it nothing stays.
   */
  readonly resumable?: () => boolean;
  /** Hears of each part of a body when that is done with. Needs `tellsParts`. */
  readonly onPart?: OnPart;
}

/** `sent` just now, or `there` from an earlier try and not sent again. */
export type OnPart = (what: "sent" | "there", bytes: number) => void;

export interface ClearOptions extends CallOptions {
  /** Only say what there is. */
  readonly dryRun?: boolean;
}

/** Writes that are not whole: unseen, but room is taken and paid for. */
export interface UnfinishedWrites {
  readonly found: number;
  /** Of those: untouched for so long that nobody goes on with them. They are gone, unless dry. */
  readonly abandoned: number;
  readonly abandonedBytes: number;
}

export interface ThawState {
  readonly readable: boolean;
  /** When to ask again, if it is not. */
  readonly askAfterMs: number;
  /** How it stands, in words, with times as far as they are known. */
  readonly message: string;
}

export interface ListOptions extends CallOptions {
  readonly cursor?: string;
  /**
   * The bytes of the copies of these CIDs, in their order, as far as the caller knows them. Storage
   * that lists no sizes is asked only for those of the others, and says no content size of these.
   */
  readonly knownBytes?: (cids: readonly string[]) => Promise<readonly (number | undefined)[]>;
}

export interface ListedCopy {
  readonly cid: string;
  readonly copy: StoredCopy;
  /** Content bytes when the listing tells them, else undefined. */
  readonly size: number | undefined;
  /** What people call it there, such as the name of a pin; absent when nothing. */
  readonly name?: string;
  /** A lock that the listing tells of; absent when it tells of none, which proves nothing. */
  readonly lock?: StorageLock;
  /** Pass as `cursor` to go on after this entry. */
  readonly cursor: string;
}

/**
 * Which storage is behind a backend. Two of one kind that share a name are the same storage, at
 * least in part: what lies there is one copy, and no removal from one rests on the other.
 */
export interface StorageIdentity {
  /** Storages of different kinds are never the same. */
  readonly kind: string;
  /**
   * As the storage itself says where it can. Throws what `status` throws, and UNAVAILABLE while a
   * part of it does not say who it is. Nothing secret: a hash of it where accounts are told apart.
   */
  names(options?: CallOptions): Promise<readonly StorageName[]>;
  /** What to do when storages are taken for the same that are not; absent where that cannot be. */
  readonly hint?: string;
}

/** Something that does not work as it is configured. `failed`: copies, checks or removals fail. */
export interface BackendTrouble {
  readonly state: "warn" | "failed";
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface BackendStatus {
  /** Name and version of what answered, for doctor and evidence. */
  readonly server: string;
  readonly writable: boolean;
  /** Bytes of stored copies. Writes under way may count neither here nor as free. */
  readonly usedBytes: number | undefined;
  readonly freeBytes: number | undefined;
  /** What it could hold if it were empty: what is larger never fits. Undefined when unknown. */
  readonly totalBytes: number | undefined;
}

/** Static facts, known offline, so that a policy can be refused before anything runs. */
export interface DriverCapabilities {
  /** Forms it can store, the preferred one first. */
  readonly forms: readonly Form[];
  readonly operations: readonly DriverOperation[];
  /** Levels of confidence that `verify` can reach. */
  readonly confidence: readonly Confidence[];
  readonly ranges: "none" | "bytes";
  readonly create: "atomic" | "last-writer-wins";
  readonly bytesMax: number | undefined;
  /** Lists that the service writes, and that can stand in for `list`. */
  readonly inventoryFiles?: "s3";
  /** True where a process that dies leaves parts of its writes for somebody to clear. */
  readonly unfinishedWrites?: true;
  /** True where the room of removed copies is free only after a collection. */
  readonly garbage?: true;
  /** True where copies are called as people call the object: `write` wants `ObjectRef.name`. */
  readonly storesByName?: true;
  /** True where the storage may lock copies by itself, and can be asked for that. */
  readonly locks?: true;
  /** True where copies may lie in an archive that must restore them before they can be read. */
  readonly thaw?: true;
}

export const driverOperations = ["read", "write", "remove", "list", "verify"] as const;
export type DriverOperation = (typeof driverOperations)[number];

/** The default export of a file in `src/drivers/`: one registry entry. */
export interface DriverDefinition<Options = unknown> {
  /** Equals the file (or folder) name. */
  readonly name: string;
  /** One sentence for the reference page. */
  readonly summary: string;
  /**
   * What may stand under `options:` of a backend, in the user's form. A field that is a path
   * carries `.meta({ format: "path" })`: relative ones start at the configuration file.
   */
  readonly options: ZodType<Options>;
  readonly capabilities: DriverCapabilities;
  /** Where options decide what a backend can do: what it can with these, no more than above. */
  capabilitiesOf?(options: Options): DriverCapabilities;
  /** A YAML backend entry that a test parses. */
  readonly example: string;
  open(context: DriverContext<Options>): Promise<Driver>;
}

export interface DriverContext<Options = unknown> {
  readonly backend: string;
  readonly options: Options;
  readonly capacityBytes: number | undefined;
  /** Resolves a secret reference (`env:NAME`, `file:PATH`, `command:…`) when it is needed. */
  secret(reference: string): Promise<string>;
}
