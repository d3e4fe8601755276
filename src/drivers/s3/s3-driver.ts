import type { Confidence, Evidence, ObjectRef, StorageLock, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  ByteStream,
  CallOptions,
  ClearOptions,
  Driver,
  DriverCapabilities,
  DriverContext,
  InventoryFiles,
  ListedCopy,
  ListOptions,
  NamedBody,
  NamedFile,
  ObjectGroups,
  ReadOptions,
  RemoveOptions,
  StorageIdentity,
  ThawState,
  UnfinishedWrites,
  VerifyOptions,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { isArchived } from "#model/archived.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { expectedBytes, looksIntact } from "#drivers/contract/expect-bytes.ts";
import { noBytes } from "#drivers/contract/no-bytes.ts";
import { exactly } from "#drivers/contract/exactly.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { verifyCopy } from "#drivers/contract/verify-copy.ts";
import { ArchivedObjects } from "#drivers/s3/archived-objects.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { bucketGroups } from "#drivers/s3/bucket-groups.ts";
import { BucketInventoryFiles } from "#drivers/s3/bucket-inventory-files.ts";
import { BucketNamedFiles } from "#drivers/s3/bucket-named-files.ts";
import { clearUploads } from "#drivers/s3/clear-uploads.ts";
import { accountOf } from "#drivers/s3/account-of.ts";
import { bucketIdentity } from "#drivers/s3/bucket-identity.ts";
import { isArchiveClass } from "#drivers/s3/archive-of.ts";
import { locatorOf, parseLocator } from "#drivers/s3/copy-source.ts";
import { CidKeys } from "#drivers/s3/cid-keys.ts";
import { CopyLocks } from "#drivers/s3/copy-locks.ts";
import type { CopyKeys, KeptCopy } from "#drivers/s3/copy-keys.ts";
import { NamedKeys } from "#drivers/s3/named-keys.ts";
import { probeLayout } from "#drivers/s3/refuse-named-copies.ts";
import { s3CapabilitiesOf } from "#drivers/s3/s3-capabilities.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";
import { readKey } from "#drivers/s3/parallel-read.ts";
import { removeKey } from "#drivers/s3/remove-key.ts";
import { serverSideCopy } from "#drivers/s3/server-side-copy.ts";
import { withOlderVersions } from "#drivers/s3/with-older-versions.ts";
import { uploadBody } from "#drivers/s3/upload-body.ts";

/** Copies as objects of one bucket: one key per object, as the layout says. */
export class S3Driver implements Driver {
  readonly kind = "s3";
  readonly tellsParts = true;
  readonly capabilities: DriverCapabilities;
  readonly inventoryFiles?: InventoryFiles;
  readonly readGroup?: ObjectGroups["readGroup"];
  readonly storeGroup?: ObjectGroups["storeGroup"];
  readonly account: string;
  readonly identity: StorageIdentity;
  readonly #backend: string;
  readonly #options: S3Options;
  readonly #client: BucketClient;
  readonly #keys: CopyKeys;
  readonly #capacity: CountedCapacity;
  readonly #named: BucketNamedFiles;
  readonly #archived: ArchivedObjects;
  readonly #locks: CopyLocks;

  /** `reach` opens another bucket of the same account. */
  constructor(
    context: DriverContext<S3Options>,
    client: BucketClient,
    reach: (bucket: string) => BucketClient,
  ) {
    this.#backend = context.backend;
    const { backend, capacityBytes, options } = context;
    this.#options = options;
    this.capabilities = s3CapabilitiesOf(options);
    if (this.capabilities.inventoryFiles !== undefined) {
      this.inventoryFiles = new BucketInventoryFiles(options, reach);
    }
    this.account = accountOf(options);
    this.identity = bucketIdentity(context);
    this.#client = client;
    this.#keys =
      options.layout === "file" ? new NamedKeys(client, options) : new CidKeys(client, options);
    const keys = this.#keys;
    this.#capacity = new CountedCapacity(backend, capacityBytes, () => keys.storedBytes());
    this.#locks = new CopyLocks(client, keys);
    this.#archived = new ArchivedObjects(client, options);
    this.#named = new BucketNamedFiles(client, options);
    const shared = { backend, options, client, capacity: this.#capacity, locks: this.#locks };
    Object.assign(this, bucketGroups(shared));
  }

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    await probeLayout(this.#client, this.#options, options.signal);
    await this.#capacity.count(options.signal);
    const { freeBytes, totalBytes, isLimited } = this.#capacity;
    const usedBytes = isLimited ? this.#capacity.usedBytes : undefined;
    const { server } = this.#client;
    // Whether the key may write is seen only by writing.
    return { server, writable: true, usedBytes, freeBytes, totalBytes };
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    const kept = await this.#keys.find(object, options.signal);
    return kept && this.#stored(kept);
  }

  async read(object: ObjectRef, copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    const doing = `reading ${object.cid} from ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    const range = options.range && {
      ...options.range,
      end: Math.min(options.range.end, copy.bytes),
    };
    if (range !== undefined && range.start >= range.end) return noBytes();
    const { signal } = options;
    const key = await this.#keys.keyOf(object, copy, signal);
    const bytes = readKey(this.#client, { key, range, bytes: copy.bytes, signal }, this.#options);
    return stopOnAbort(bytes, signal, doing);
  }

  /** Copies from a bucket of the same account; not into a class in which nobody could check it. */
  async copyWithin(
    object: ObjectRef,
    from: StoredCopy,
    options: WriteOptions = {},
  ): Promise<StoredCopy> {
    throwIfCancelled(options.signal, `copying ${object.cid} to ${this.#backend}`);
    const place = parseLocator(from.locator);
    const { layout, storageClass } = this.#options;
    // Not every service copies on the condition that nobody else has the name by then.
    if (place === undefined || layout === "file" || isArchiveClass(storageClass)) {
      throw new EngineError("NOT_SUPPORTED", `${from.locator} is not copied within the service`);
    }
    const existing = await this.#keys.find(object, options.signal);
    const body = { ...from, stream: noBytes() };
    if (this.#mayStay(existing, object, body, options)) return this.#stored(existing);
    await this.#capacity.count(options.signal);
    using _reservation = this.#capacity.reserve(from.bytes);
    const request = await this.#keys.place(object, from.form, existing, options.signal);
    const source = { ...place, bytes: from.bytes };
    const { concurrency } = this.#options;
    const limits = { concurrency, signal: options.signal };
    await serverSideCopy(this.#client, { ...request, source }, limits);
    return await this.#written(object, { ...from, key: request.key }, existing, options);
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const doing = `writing ${object.cid} to ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    const bytes = expectedBytes(object, body, this.capabilities);
    const existing = await this.#keys.find(object, options.signal);
    if (this.#mayStay(existing, object, body, options)) {
      await discardBody(body);
      return this.#stored(existing);
    }
    await this.#capacity.count(options.signal);
    using reservation = this.#capacity.reserve(bytes ?? 0);
    let received = 0;
    const stopping = stopOnAbort(body.stream, options.signal, doing);
    const counted = exactly(stopping, object, bytes, (total) => {
      received = total;
      reservation.cover(total);
    });
    const request = await this.#keys.place(object, body.form, existing, options.signal);
    try {
      const sent = await uploadBody(this.#client, request, counted, {
        partBytes: this.#options.partSize,
        concurrency: this.#options.concurrency,
        // A CAR is a little larger than what it holds.
        expectedBytes: bytes ?? object.size * 1.1,
        signal: options.signal,
        resumable: options.resumable,
        onPart: options.onPart,
      });
      this.#archived.remember(object, request.key, sent);
    } catch (error) {
      return await this.#alreadyThere(object, body, error, options);
    }
    const written = { key: request.key, form: body.form, bytes: received };
    return await this.#written(object, written, existing, options);
  }

  async verify(
    object: ObjectRef,
    level: Confidence,
    options: VerifyOptions = {},
  ): Promise<Evidence> {
    const evidence = await this.#checked(object, level, options);
    if (evidence.finding === "absent") {
      return await withOlderVersions(evidence, this.#client, this.#keys, object, options.signal);
    }
    if (evidence.finding !== "present") return evidence;
    return { ...evidence, ...(await this.#locks.seenWith(object, options.signal)) };
  }

  lockOf(object: ObjectRef, options: CallOptions = {}): Promise<StorageLock | null | undefined> {
    return this.#locks.of(object, options.signal);
  }

  async #checked(object: ObjectRef, level: Confidence, options: VerifyOptions): Promise<Evidence> {
    try {
      return await verifyCopy(this, this.#backend, object, level, options);
    } catch (thrown) {
      const wasArchived = isArchived(EngineError.from(thrown));
      const kept = wasArchived ? await this.#keys.find(object, options.signal) : undefined;
      if (kept === undefined) throw thrown;
      const found = await this.#archived.evidence(object, kept.key, level, options.signal);
      return { ...found, backend: this.#backend, cid: object.cid };
    }
  }

  async thaw(object: ObjectRef, copy: StoredCopy, options: CallOptions = {}): Promise<ThawState> {
    return this.#archived.thaw(await this.#keys.keyOf(object, copy, options.signal), options);
  }

  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    let removed = false;
    for (const key of await this.#keys.held(object, options.signal)) {
      if (await this.#removeKey(object, key, options)) removed = true;
    }
    return removed ? "removed" : "absent";
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    return this.#keys.list(options);
  }

  clearUnfinished(options: ClearOptions = {}): Promise<UnfinishedWrites> {
    return clearUploads(this.#client, this.#keys, this.#options, options);
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

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  /** Somebody else was faster, or our own request arrived twice: then the copy is there. */
  async #alreadyThere(
    object: ObjectRef,
    body: WriteBody,
    reason: unknown,
    options: WriteOptions,
  ): Promise<StoredCopy> {
    const { code } = EngineError.from(reason);
    if (code !== "ALREADY_EXISTS" && code !== "CONFLICT" && code !== "NOT_FOUND") throw reason;
    const found = await this.stat(object, options);
    if (found !== undefined && looksIntact(found, object, body)) return found;
    throw new EngineError("CONFLICT", `${object.cid} was written twice at the same time`, {
      cause: reason,
    });
  }

  #mayStay(
    existing: KeptCopy | undefined,
    object: ObjectRef,
    body: WriteBody,
    { replace }: WriteOptions,
  ): existing is KeptCopy {
    if (existing === undefined || replace === true) return false;
    return looksIntact(this.#stored(existing), object, body);
  }

  /** Takes the replaced copy out of the account, and away when it lies under another key. */
  async #written(
    object: ObjectRef,
    { key, form, bytes }: Omit<StoredCopy, "locator"> & { readonly key: string },
    replaced: KeptCopy | undefined,
    options: CallOptions,
  ): Promise<StoredCopy> {
    this.#capacity.add(bytes);
    if (replaced?.key === key) this.#capacity.add(-replaced.found.bytes);
    else if (replaced !== undefined) await this.#removeKey(object, replaced.key, options);
    return { locator: this.#locator(key), form, bytes };
  }

  async #removeKey(object: ObjectRef, key: string, options: RemoveOptions): Promise<boolean> {
    const keys = this.#keys;
    const isOurs = keys.isCopyOf?.bind(keys, object, key);
    const { signal, confirm } = options;
    const guarded = { signal, isOurs, ...(confirm && { confirm }) };
    const removed = await removeKey(this.#client, key, guarded, (bytes) => {
      this.#capacity.add(-bytes);
    });
    if (removed) await keys.forget(object, key, options.signal);
    return removed;
  }

  #stored({ key, form, found }: KeptCopy): StoredCopy {
    return { locator: this.#locator(key), form, bytes: found.bytes };
  }

  #locator(key: string): string {
    return locatorOf(this.#options.bucket, key);
  }
}
