import { accessSync, constants, lstatSync, statfsSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Confidence, Evidence, Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  ByteStream,
  CallOptions,
  Driver,
  DriverCapabilities,
  DriverContext,
  GroupBytes,
  GroupCopy,
  ListedCopy,
  ListOptions,
  NamedBody,
  NamedFile,
  ReadOptions,
  RemoveOptions,
  StorageIdentity,
  VerifyOptions,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { SinglePiece, singlePieceMax } from "#model/single-piece.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { Capacity } from "#drivers/contract/capacity.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { looksIntact } from "#drivers/contract/expect-bytes.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { verifyCopy } from "#drivers/contract/verify-copy.ts";
import { fileError, systemCode } from "#drivers/local/file-error.ts";
import { removeLeftovers } from "#drivers/local/leftovers.ts";
import { hashesTo } from "#drivers/local/hashes-to.ts";
import { listStoredFiles } from "#drivers/local/list-stored-files.ts";
import { LocalGroups } from "#drivers/local/local-groups.ts";
import { LocalNamedFiles } from "#drivers/local/local-named-files.ts";
import { type ObjectFile, objectFile } from "#drivers/local/object-file.ts";
import { readSmallFile, readStoredFile } from "#drivers/local/read-file.ts";
import { type Durability, StoreFolder } from "#drivers/local/store-folder.ts";
import { storeFile } from "#drivers/local/store-file.ts";
import { Usage } from "#drivers/local/usage.ts";

export const localCapabilities: DriverCapabilities = {
  forms: ["file", "car"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "bytes",
  create: "atomic",
  bytesMax: undefined,
};

export interface LocalOptions {
  readonly path: string;
  readonly durability: Durability;
  readonly create: boolean;
}

/** Asking for the state this often costs nothing; more often gives the same answer. */
const statusAgeMs = 1_000;

/** A content-addressed store in a folder: one read-only file per object. */
export class LocalDriver implements Driver {
  readonly kind = "local";
  readonly capabilities = localCapabilities;
  readonly releasesPieces = true;
  readonly #backend: string;
  readonly #folder: StoreFolder;
  readonly #usage: Usage;
  readonly #named: LocalNamedFiles;
  readonly #groups: LocalGroups;

  private constructor(backend: string, folder: StoreFolder, usage: Usage) {
    this.#backend = backend;
    this.#folder = folder;
    this.#usage = usage;
    this.#named = new LocalNamedFiles(folder);
    this.#groups = new LocalGroups(backend, folder, usage);
  }

  static async open(context: DriverContext<LocalOptions>): Promise<LocalDriver> {
    const { path, durability, create } = context.options;
    const folder = StoreFolder.open(path, durability, create);
    try {
      removeLeftovers(folder.incoming, Date.now());
    } catch (error) {
      throw fileError(error, "cannot clean up in", folder.incoming);
    }
    return new LocalDriver(
      context.backend,
      folder,
      new Usage(folder, new Capacity(context.backend, context.capacityBytes)),
    );
  }

  /** The folder, whatever path leads to it. */
  readonly identity: StorageIdentity = {
    kind: "folder",
    names: async () => [await this.#folder.systemName()],
  };

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    throwIfCancelled(options.signal, "asking for the state of the store");
    this.#folder.checkMounted();
    try {
      // What a killed worker left takes room, and nobody may open this store anew for months.
      const left = isWritable(this.#folder.incoming)
        ? removeLeftovers(this.#folder.incoming, Date.now())
        : 0;
      await this.#usage.refresh(statusAgeMs);
      const disk = statfsSync(this.#folder.root);
      // What is left for later tries gives way to whatever is written.
      const diskFree = disk.bavail * disk.bsize + left;
      const diskTotal = disk.blocks * disk.bsize;
      const { capacity } = this.#usage;
      return {
        server: `local store, layout ${this.#folder.layout}`,
        writable: isWritable(this.#folder.incoming) && isWritable(this.#folder.objects),
        usedBytes: capacity.usedBytes,
        freeBytes: Math.min(diskFree, capacity.freeBytes ?? diskFree),
        totalBytes: Math.min(diskTotal, capacity.totalBytes ?? diskTotal),
      };
    } catch (error) {
      throw fileError(error, "cannot read the state of", this.#folder.root);
    }
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    throwIfCancelled(options.signal, `looking for ${object.cid}`);
    return this.#find(object);
  }

  async read(object: ObjectRef, copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    throwIfCancelled(options.signal, `reading ${object.cid}`);
    if (copy.bytes <= singlePieceMax && options.range === undefined) {
      const path = this.#pathOf(objectFile(object.cid, copy.form));
      const bytes = path === undefined ? undefined : readSmallFile(path);
      if (bytes !== undefined) return new SinglePiece(() => bytes);
    }
    const stored = this.#findForm(object.cid, copy.form);
    if (stored === undefined) {
      throw new EngineError("NOT_FOUND", `${object.cid} is not on ${this.#backend}`);
    }
    const bytes = readStoredFile(join(this.#folder.root, stored.locator), options);
    return stopOnAbort(bytes, options.signal, `reading ${object.cid} from ${this.#backend}`);
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    throwIfCancelled(options.signal, `writing ${object.cid}`);
    const existing = this.#find(object);
    if (existing !== undefined && options.replace !== true && looksIntact(existing, object, body)) {
      await discardBody(body);
      return existing;
    }
    if (existing !== undefined) this.#folder.checkMounted();
    const stored = await storeFile(
      this.#folder,
      this.#usage,
      object,
      body,
      this.capabilities,
      options,
    );
    // A copy in another form would answer first and was just called not good enough.
    if (existing !== undefined && existing.form !== stored.form) {
      this.#removeForm(object.cid, existing.form);
    }
    return stored;
  }

  async verify(
    object: ObjectRef,
    level: Confidence,
    options: VerifyOptions = {},
  ): Promise<Evidence> {
    const { signal } = options;
    return verifyCopy(
      this,
      this.#backend,
      object,
      level,
      options,
      async ({ form, bytes, locator }) =>
        form === "file" && bytes > singlePieceMax
          ? await hashesTo(join(this.#folder.root, locator), object, signal)
          : false,
    );
  }

  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    await options.confirm?.();
    throwIfCancelled(options.signal, `removing ${object.cid}`);
    const removed = this.capabilities.forms.filter((form) => this.#removeForm(object.cid, form));
    return removed.length > 0 ? "removed" : "absent";
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    return listStoredFiles(this.#folder, options.cursor, options.signal);
  }

  readGroup(objects: readonly ObjectRef[], options?: CallOptions): Promise<GroupBytes> {
    return this.#groups.readGroup(objects, options);
  }

  storeGroup(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    options?: CallOptions,
  ): Promise<readonly (GroupCopy | undefined)[]> {
    return this.#groups.storeGroup(objects, bytes, options);
  }

  writeNamed(name: string, body: NamedBody, options?: CallOptions): Promise<void> {
    return this.#named.writeNamed(name, body, options);
  }

  async readNamed(name: string, options?: CallOptions): Promise<ByteStream> {
    return await this.#named.readNamed(name, options);
  }

  async listNamed(folder: string, options?: CallOptions): Promise<readonly NamedFile[]> {
    return await this.#named.listNamed(folder, options);
  }

  async removeNamed(name: string, options?: CallOptions): Promise<void> {
    await this.#named.removeNamed(name, options);
  }

  async close(): Promise<void> {
    try {
      this.#usage.save();
    } catch {
      // Only a cache: the next opening counts again.
    }
  }

  /** Its copy in either form; UNAVAILABLE instead of none when the store itself has gone. */
  #find(object: ObjectRef): StoredCopy | undefined {
    const file = objectFile(object.cid, "file");
    const path = this.#pathOf(file);
    const stored =
      path === undefined
        ? undefined
        : (this.#look(file, path) ?? this.#findForm(object.cid, "car"));
    if (stored === undefined) this.#folder.checkMounted();
    return stored;
  }

  #findForm(cid: string, form: Form): StoredCopy | undefined {
    const file = objectFile(cid, form);
    const path = this.#pathOf(file);
    return path === undefined ? undefined : this.#look(file, path);
  }

  #look(file: ObjectFile, path: string): StoredCopy | undefined {
    try {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile()) return undefined;
      const { shard, name, form } = file;
      return { locator: `objects/${shard}/${name}`, form, bytes: stat.size };
    } catch (error) {
      throw fileError(error, "cannot look at", path);
    }
  }

  /** Where the file lies if there is one; undefined when not even its folder is there. */
  #pathOf({ shard, name }: ObjectFile): string | undefined {
    try {
      const folder = this.#folder.existingShard(shard);
      return folder === undefined ? undefined : `${folder}/${name}`;
    } catch (error) {
      throw fileError(error, "cannot look at", shard);
    }
  }

  #removeForm(cid: string, form: Form): boolean {
    const stored = this.#findForm(cid, form);
    if (stored === undefined) return false;
    const path = join(this.#folder.root, stored.locator);
    try {
      unlinkSync(path);
    } catch (error) {
      // Another process was faster.
      if (systemCode(error) === "ENOENT") return false;
      throw fileError(error, "cannot remove", path);
    }
    this.#usage.changed(objectFile(cid, form).shard, -stored.bytes);
    return true;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
