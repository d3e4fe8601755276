import { isAddressOf } from "#content/address-file.ts";
import type { CountedCapacity } from "#drivers/contract/counted-capacity.ts";
import { readBackEvidence } from "#drivers/contract/read-back-evidence.ts";
import { isArchiveClass } from "#drivers/s3/archive-of.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import type { Signal } from "#drivers/s3/bucket-requests.ts";
import type { CopyLocks } from "#drivers/s3/copy-locks.ts";
import { locatorOf } from "#drivers/s3/copy-source.ts";
import { objectKey, objectMetadata } from "#drivers/s3/object-key.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";
import { isArchived } from "#model/archived.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { GroupBytes, GroupCopy, GroupOptions, ObjectGroups } from "#model/driver.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";

/** Objects of a group under way at a time. */
const objectsAtOnce = 8;

/** What is wrong with one object; anything else may be wrong with the service. */
const ofOneObject: ReadonlySet<ErrorCode> = new Set(["NOT_FOUND", "CONFLICT", "CORRUPT"]);

export interface BucketGroupsOptions {
  readonly backend: string;
  readonly options: S3Options;
  readonly client: BucketClient;
  readonly capacity: CountedCapacity;
  readonly locks: CopyLocks;
}

/** The facet of a bucket; nothing where keys are no CIDs, or what was stored cannot be read back. */
export function bucketGroups(context: BucketGroupsOptions): Partial<ObjectGroups> {
  const { layout, storageClass } = context.options;
  if (layout !== "cid" || isArchiveClass(storageClass)) return {};
  const groups = new BucketGroups(context);
  return {
    readGroup: (objects, options) => groups.readGroup(objects, options),
    storeGroup: (objects, bytes, options) => groups.storeGroup(objects, bytes, options),
  };
}

/**
 * Groups of small objects in a bucket: each is a request of its own there, but none that only a
 * single object needs. What is to be read is asked for at once, and not looked for first. What is to
 * be stored is looked for first: services may not heed the condition of a request to create, and a
 * copy that is there needs no bytes to be sent.
 */
class BucketGroups implements ObjectGroups {
  readonly #context: BucketGroupsOptions;

  constructor(context: BucketGroupsOptions) {
    this.#context = context;
  }

  async readGroup(objects: readonly ObjectRef[], options: GroupOptions = {}): Promise<GroupBytes> {
    const bytes = await forEachOf(objects, options, (object) => this.#read(object, options.signal));
    return { bytes, [Symbol.dispose]: () => undefined };
  }

  async storeGroup(
    objects: readonly ObjectRef[],
    bytes: readonly Uint8Array[],
    options: GroupOptions = {},
  ): Promise<readonly (GroupCopy | undefined)[]> {
    const { capacity } = this.#context;
    const { signal, onError } = options;
    try {
      await capacity.count(signal);
      using _reservation = capacity.reserve(bytes.reduce((sum, { length }) => sum + length, 0));
      return await forEachOf(objects, options, (object, at) =>
        this.#store(object, bytes[at] ?? new Uint8Array(), signal),
      );
    } catch (thrown) {
      // Full, out, or told to stop: each object hears it again alone.
      onError?.(EngineError.from(thrown));
      return objects.map(() => undefined);
    }
  }

  /** The bytes of a file, if that is what lies there. */
  async #read(object: ObjectRef, signal: Signal): Promise<Uint8Array | undefined> {
    const { cid, size, profile } = object;
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of this.#context.client.get(this.#key(cid), undefined, signal)) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > size) return undefined;
    }
    // Content of another size is not this object, whatever its CID says.
    if (bytes !== size) return undefined;
    const all = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
    return isAddressOf(cid, all, profile) ? all : undefined;
  }

  /** Finds or creates a copy and reads it back. One in another form, or a damaged one, is left. */
  async #store(
    object: ObjectRef,
    bytes: Uint8Array,
    signal: Signal,
  ): Promise<GroupCopy | undefined> {
    const { client, options, backend, locks } = this.#context;
    const key = this.#key(object.cid);
    const found = await client.head(key, signal);
    if (found !== undefined && found.bytes !== object.size) return undefined;
    // A CAR is looked for only where it would be a second copy that is paid for.
    const car = objectKey(options.prefix, object.cid, "car");
    if (found === undefined && (await client.head(car, signal)) !== undefined) return undefined;
    const moved = found === undefined && (await this.#create(object, key, bytes, signal));
    if ((await this.#read(object, signal)) === undefined) return undefined;
    const evidence = readBackEvidence(backend, object, new Date());
    const lock = await locks.seenWith(object, signal);
    const locator = locatorOf(options.bucket, key);
    const copy = { locator, form: "file", bytes: object.size } as const;
    return { copy, evidence: { ...evidence, ...lock }, moved };
  }

  /** False where another writer was faster. */
  async #create(
    object: ObjectRef,
    key: string,
    bytes: Uint8Array,
    signal: Signal,
  ): Promise<boolean> {
    const { client, capacity } = this.#context;
    try {
      const request = { key, create: true, metadata: objectMetadata(object, "file") };
      await client.put(request, bytes, signal);
    } catch (thrown) {
      if (EngineError.from(thrown).code === "ALREADY_EXISTS") return false;
      throw thrown;
    }
    capacity.add(bytes.length);
    return true;
  }

  #key(cid: string): string {
    return objectKey(this.#context.options.prefix, cid, "file");
  }
}

/**
 * What was done with each, a few at a time; undefined where it failed. Where that may be the fault
 * of the service, or somebody says stop, nothing further is begun.
 */
async function forEachOf<Result>(
  objects: readonly ObjectRef[],
  { signal, drain, onError }: GroupOptions,
  act: (object: ObjectRef, at: number) => Promise<Result | undefined>,
): Promise<readonly (Result | undefined)[]> {
  const results = Array.from<Result | undefined>({ length: objects.length });
  const waiting = objects.entries();
  let goesWell = true;
  const lane = async (): Promise<void> => {
    for (const [at, object] of waiting) {
      if (!goesWell || signal?.aborted === true || drain?.aborted === true) return;
      try {
        results[at] = await act(object, at);
      } catch (thrown) {
        const error = EngineError.from(thrown);
        onError?.(error);
        goesWell &&= ofOneObject.has(error.code) || isArchived(error);
      }
    }
  };
  await Promise.all(Array.from({ length: objectsAtOnce }, lane));
  return results;
}
