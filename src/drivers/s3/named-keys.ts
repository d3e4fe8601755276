import type { Form, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { BucketClient, HeadResult, PutRequest } from "#drivers/s3/bucket-client.ts";
import type { Signal } from "#drivers/s3/bucket-requests.ts";
import { CidKeys } from "#drivers/s3/cid-keys.ts";
import type { CopyKeys, KeptCopy } from "#drivers/s3/copy-keys.ts";
import { parseLocator } from "#drivers/s3/copy-source.ts";
import { KeyRecords } from "#drivers/s3/key-records.ts";
import { listNamedKeys, ownKeys } from "#drivers/s3/list-named-keys.ts";
import { objectMetadata, parseObjectKey } from "#drivers/s3/object-key.ts";
import { encodedKey, readableKeys } from "#drivers/s3/readable-keys.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/**
 * Keys that a person can read (decision 0106). A copy is one of ours when its metadata say the CID:
 * whatever else lies under such a key is another's, and is neither counted, replaced nor removed.
 * Objects without a name, and copies of an earlier layout, lie under their CIDs.
 */
export class NamedKeys implements CopyKeys {
  readonly #client: BucketClient;
  readonly #options: S3Options;
  readonly #records: KeyRecords;
  readonly #plain: CidKeys;

  constructor(client: BucketClient, options: S3Options) {
    this.#client = client;
    this.#options = options;
    this.#records = new KeyRecords(client, options.prefix);
    this.#plain = new CidKeys(client, options);
  }

  async find(object: ObjectRef, signal: Signal): Promise<KeptCopy | undefined> {
    throwIfCancelled(signal, `looking for ${object.cid}`);
    const key = await this.#records.keyOf(object.cid, signal);
    const found = key === undefined ? undefined : await this.#client.head(key, signal);
    if (key !== undefined && found !== undefined && this.isCopyOf(object, key, found)) {
      return { key, form: found.metadata["form"] === "car" ? "car" : "file", found };
    }
    return await this.#plain.find(object, signal);
  }

  async keyOf(object: ObjectRef, copy: StoredCopy, signal: Signal): Promise<string> {
    const { bucket, prefix } = this.#options;
    const seen = parseLocator(copy.locator);
    if (seen?.bucket === bucket && seen.key.startsWith(prefix)) return seen.key;
    const kept = await this.find(object, signal);
    if (kept?.form === copy.form) return kept.key;
    throw new EngineError("NOT_FOUND", `${object.cid} is not in the bucket ${bucket}`);
  }

  async place(
    object: ObjectRef,
    form: Form,
    existing: KeptCopy | undefined,
    signal: Signal,
  ): Promise<PutRequest> {
    if (existing?.form === form) {
      // Of what somebody began to upload under it since nothing tells whose it is.
      return this.#request(object, form, existing.key, existing.found.etag, undefined);
    }
    const keys = readableKeys(this.#options.prefix, object, form);
    const noted = await this.#records.keyOf(object.cid, signal);
    // An earlier try, or another writer, may have sent some of it already.
    const inOrder = noted === undefined ? keys : [noted, ...keys];
    for (const key of new Set(inOrder)) {
      if (parseObjectKey(this.#options.prefix, key) !== undefined) {
        return this.#plain.place(object, form, undefined);
      }
      const found = await this.#records.look(key, signal);
      if (found === "another's") continue;
      if (found !== undefined && !this.isCopyOf(object, key, found)) continue;
      const claim = await this.#records.claim(key, object.cid, signal);
      if (claim === undefined) continue;
      const known = noted !== undefined;
      if (noted !== key && !(await this.#records.note(object.cid, key, known, signal))) {
        // Another writer of the same object was faster: its key is as good, and may be this one.
        const faster = await this.#records.keyOf(object.cid, signal);
        if (faster !== key) await this.#records.release(key, signal);
        return await this.place(object, form, existing, signal);
      }
      const since = found === undefined ? claim.since : undefined;
      return this.#request(object, form, key, found?.etag, since);
    }
    throw new EngineError("INTERNAL", `no key was found for ${object.cid}`);
  }

  async held(object: ObjectRef, signal: Signal): Promise<readonly string[]> {
    const noted = await this.#records.keyOf(object.cid, signal);
    const plain = await this.#plain.held(object);
    return noted === undefined ? plain : [noted, ...plain];
  }

  isCopyOf(object: ObjectRef, key: string, { metadata }: HeadResult): boolean {
    if (parseObjectKey(this.#options.prefix, key)?.cid === object.cid) return true;
    // A copy that somebody made of ours has the key of ours in its metadata.
    return metadata["cid"] === object.cid && metadata["key"] === encodedKey(key);
  }

  async forget({ cid }: ObjectRef, key: string, signal: Signal): Promise<void> {
    if (parseObjectKey(this.#options.prefix, key) !== undefined) return;
    await this.#records.release(key, signal);
    if ((await this.#records.keyOf(cid, signal)) === key) await this.#records.forget(cid, signal);
  }

  list(options: ListOptions): AsyncIterable<ListedCopy> {
    return listNamedKeys(this.#client, this.#options, options);
  }

  /** What others put there is counted too: to look at each key would be a request for each. */
  async storedBytes(): Promise<number> {
    let sum = 0;
    for await (const { bytes } of ownKeys(this.#client, this.#options, {})) sum += bytes;
    return sum;
  }

  /** What was begun before the key was ours is another's. */
  async isUploadOfOurs(key: string, begunAt: Date, signal: Signal): Promise<boolean> {
    if (await this.#plain.isUploadOfOurs(key)) return true;
    const since = (await this.#records.claimOn(key, signal))?.since;
    return since !== undefined && begunAt >= since;
  }

  /** Written where nothing is, or over what was seen there and was ours. */
  #request(
    object: ObjectRef,
    form: Form,
    key: string,
    replaces: string | undefined,
    since: Date | undefined,
  ): PutRequest {
    const metadata = objectMetadata(object, form);
    const request = { key, metadata, create: replaces === undefined, replaces };
    if (parseObjectKey(this.#options.prefix, key) !== undefined) return request;
    return { ...request, metadata: { ...metadata, key: encodedKey(key) }, shared: { since } };
  }
}
