import type { Confidence, Evidence, Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type {
  BackendStatus,
  ByteStream,
  CallOptions,
  ClearOptions,
  Driver,
  DriverContext,
  InventoryFiles,
  ListedCopy,
  ListOptions,
  NamedBody,
  NamedFile,
  ReadOptions,
  RemoveOptions,
  ThawState,
  UnfinishedWrites,
  WriteBody,
  WriteOptions,
} from "#model/driver.ts";
import { isArchived } from "#model/archived.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { bytesOf, CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { checkPermit } from "#drivers/contract/check-permit.ts";
import { discardBody } from "#drivers/contract/discard-body.ts";
import { expectedBytes, looksIntact } from "#drivers/contract/expect-bytes.ts";
import { noBytes } from "#drivers/contract/no-bytes.ts";
import { exactly } from "#drivers/contract/exactly.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { verifyCopy } from "#drivers/contract/verify-copy.ts";
import { ArchivedObjects } from "#drivers/s3/archived-objects.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { BucketInventoryFiles } from "#drivers/s3/bucket-inventory-files.ts";
import { BucketNamedFiles } from "#drivers/s3/bucket-named-files.ts";
import { clearUploads } from "#drivers/s3/clear-uploads.ts";
import { listBucket } from "#drivers/s3/list-bucket.ts";
import { accountOf } from "#drivers/s3/account-of.ts";
import { isArchiveClass } from "#drivers/s3/archive-of.ts";
import { parseLocator } from "#drivers/s3/copy-source.ts";
import { objectKey, objectMetadata } from "#drivers/s3/object-key.ts";
import { s3Capabilities } from "#drivers/s3/s3-capabilities.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";
import { parallelRead, readPieceBytesMax } from "#drivers/s3/parallel-read.ts";
import { removeKey } from "#drivers/s3/remove-key.ts";
import { serverSideCopy } from "#drivers/s3/server-side-copy.ts";
import { uploadBody } from "#drivers/s3/upload-body.ts";

/** Copies as objects of one bucket: one key per object, its name the CID. */
export class S3Driver implements Driver {
  readonly kind = "s3";
  readonly capabilities = s3Capabilities;
  readonly inventoryFiles: InventoryFiles;
  readonly account: string;
  readonly #backend: string;
  readonly #options: S3Options;
  readonly #client: BucketClient;
  readonly #capacity: CountedCapacity;
  readonly #named: BucketNamedFiles;
  readonly #archived: ArchivedObjects;

  /** `reach` opens another bucket of the same account. */
  constructor(
    context: DriverContext<S3Options>,
    client: BucketClient,
    reach: (bucket: string) => BucketClient,
  ) {
    this.#backend = context.backend;
    this.#options = context.options;
    this.inventoryFiles = new BucketInventoryFiles(context.options, reach);
    this.account = accountOf(context.options);
    this.#client = client;
    const { backend, capacityBytes } = context;
    this.#capacity = new CountedCapacity(backend, capacityBytes, () => bytesOf(this.list()));
    this.#archived = new ArchivedObjects(client, context.options);
    this.#named = new BucketNamedFiles(client, context.options);
  }

  async status(options: CallOptions = {}): Promise<BackendStatus> {
    const { prefix } = this.#options;
    const probe = { prefix, folders: false, after: undefined, token: undefined, limit: 1 };
    await this.#client.list(probe, options.signal);
    await this.#capacity.count(options.signal);
    const { freeBytes, totalBytes, isLimited } = this.#capacity;
    const usedBytes = isLimited ? this.#capacity.usedBytes : undefined;
    const { server } = this.#client;
    // Whether the key may write is seen only by writing.
    return { server, writable: true, usedBytes, freeBytes, totalBytes };
  }

  async stat(object: ObjectRef, options: CallOptions = {}): Promise<StoredCopy | undefined> {
    for (const form of s3Capabilities.forms) {
      throwIfCancelled(options.signal, `looking for ${object.cid}`);
      const found = await this.#client.head(this.#key(object.cid, form), options.signal);
      if (found !== undefined) return this.#copy(object.cid, form, found.bytes);
    }
    return undefined;
  }

  async read(object: ObjectRef, copy: StoredCopy, options: ReadOptions = {}): Promise<ByteStream> {
    const doing = `reading ${object.cid} from ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    const range = options.range && {
      ...options.range,
      end: Math.min(options.range.end, copy.bytes),
    };
    if (range !== undefined && range.start >= range.end) return noBytes();
    const key = this.#key(object.cid, copy.form);
    const whole = { start: 0, end: copy.bytes };
    const { partSize, concurrency } = this.#options;
    const pieceBytes = Math.min(partSize, readPieceBytesMax);
    const { signal } = options;
    const bytes =
      copy.bytes > pieceBytes && concurrency > 1
        ? parallelRead(this.#client, {
            key,
            range: range ?? whole,
            pieceBytes,
            concurrency,
            signal,
          })
        : this.#client.get(key, range, signal);
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
    if (place === undefined || isArchiveClass(this.#options.storageClass)) {
      throw new EngineError("NOT_SUPPORTED", `${from.locator} is not copied within the service`);
    }
    const existing = await this.stat(object, options);
    const body = { ...from, stream: noBytes() };
    if (existing !== undefined && options.replace !== true && looksIntact(existing, object, body)) {
      return existing;
    }
    await this.#capacity.count(options.signal);
    using _reservation = this.#capacity.reserve(from.bytes);
    const request = {
      key: this.#key(object.cid, from.form),
      create: existing === undefined,
      metadata: objectMetadata(object, from.form),
      source: { ...place, bytes: from.bytes },
    };
    const { concurrency } = this.#options;
    await serverSideCopy(this.#client, request, { concurrency, signal: options.signal });
    const stored = this.#copy(object.cid, from.form, from.bytes);
    this.#capacity.add(stored.bytes);
    if (existing !== undefined) await this.#afterReplacing(object, existing, stored, options);
    return stored;
  }

  async write(object: ObjectRef, body: WriteBody, options: WriteOptions = {}): Promise<StoredCopy> {
    const doing = `writing ${object.cid} to ${this.#backend}`;
    throwIfCancelled(options.signal, doing);
    const bytes = expectedBytes(object, body, s3Capabilities);
    const existing = await this.stat(object, options);
    if (existing !== undefined && options.replace !== true && looksIntact(existing, object, body)) {
      await discardBody(body);
      return existing;
    }
    await this.#capacity.count(options.signal);
    using reservation = this.#capacity.reserve(bytes ?? 0);
    let received = 0;
    const stopping = stopOnAbort(body.stream, options.signal, doing);
    const counted = exactly(stopping, object, bytes, (total) => {
      received = total;
      reservation.cover(total);
    });
    try {
      const request = { key: this.#key(object.cid, body.form), create: existing === undefined };
      const sent = await uploadBody(
        this.#client,
        { ...request, metadata: objectMetadata(object, body.form) },
        counted,
        {
          partBytes: this.#options.partSize,
          concurrency: this.#options.concurrency,
          // A CAR is a little larger than what it holds.
          expectedBytes: bytes ?? object.size * 1.1,
          signal: options.signal,
          resumable: options.resumable,
        },
      );
      this.#archived.remember(request.key, sent);
    } catch (error) {
      return await this.#alreadyThere(object, body, error, options);
    }
    const stored = this.#copy(object.cid, body.form, received);
    this.#capacity.add(received);
    if (existing !== undefined) await this.#afterReplacing(object, existing, stored, options);
    return stored;
  }

  async verify(object: ObjectRef, level: Confidence, options: CallOptions = {}): Promise<Evidence> {
    try {
      return await verifyCopy(this, this.#backend, object, level, options?.signal);
    } catch (thrown) {
      const copy = isArchived(EngineError.from(thrown)) && (await this.stat(object, options));
      if (!copy) throw thrown;
      const key = this.#key(object.cid, copy.form);
      const found = await this.#archived.evidence(key, level, options?.signal);
      return { ...found, backend: this.#backend, cid: object.cid };
    }
  }

  thaw(object: ObjectRef, copy: StoredCopy, options: CallOptions = {}): Promise<ThawState> {
    return this.#archived.thaw(this.#key(object.cid, copy.form), options);
  }

  async remove(
    object: ObjectRef,
    permit: RemovalPermit,
    options: RemoveOptions = {},
  ): Promise<"removed" | "absent"> {
    checkPermit(this.#backend, object, permit);
    let removed = false;
    for (const form of s3Capabilities.forms) {
      if (await this.#removeForm(object.cid, form, options)) removed = true;
    }
    return removed ? "removed" : "absent";
  }

  list(options: ListOptions = {}): AsyncIterable<ListedCopy> {
    return listBucket(this.#client, this.#options, options);
  }

  clearUnfinished(options: ClearOptions = {}): Promise<UnfinishedWrites> {
    return clearUploads(this.#client, this.#options, options);
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

  /** Takes the replaced copy out of the account, and away when it lies under another key. */
  async #afterReplacing(
    object: ObjectRef,
    replaced: StoredCopy,
    stored: StoredCopy,
    options: CallOptions,
  ): Promise<void> {
    if (replaced.form === stored.form) this.#capacity.add(-replaced.bytes);
    else await this.#removeForm(object.cid, replaced.form, options);
  }

  #removeForm(cid: string, form: Form, options: RemoveOptions): Promise<boolean> {
    return removeKey(this.#client, this.#key(cid, form), options, (bytes) => {
      this.#capacity.add(-bytes);
    });
  }

  #key(cid: string, form: Form): string {
    return objectKey(this.#options.prefix, cid, form);
  }

  #copy(cid: string, form: Form, bytes: number): StoredCopy {
    return { locator: `s3://${this.#options.bucket}/${this.#key(cid, form)}`, form, bytes };
  }
}
