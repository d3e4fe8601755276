import { type Form, forms, type ObjectRef, type StoredCopy } from "#model/copy.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { bytesOf } from "#drivers/contract/counted-capacity.ts";
import type { BucketClient, PutRequest } from "#drivers/s3/bucket-client.ts";
import type { Signal } from "#drivers/s3/bucket-requests.ts";
import type { CopyKeys, KeptCopy } from "#drivers/s3/copy-keys.ts";
import { listBucket } from "#drivers/s3/list-bucket.ts";
import { objectKey, objectMetadata, parseObjectKey } from "#drivers/s3/object-key.ts";
import { s3CapabilitiesOf } from "#drivers/s3/s3-capabilities.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/** Keys that are made of the CID alone: what is there under such a key is the copy. */
export class CidKeys implements CopyKeys {
  readonly #client: BucketClient;
  readonly #options: S3Options;
  /** The form that is written first; one of an earlier layout is found too. */
  readonly #forms: readonly Form[];

  constructor(client: BucketClient, options: S3Options) {
    this.#client = client;
    this.#options = options;
    const { forms: written } = s3CapabilitiesOf(options);
    const stored = forms.filter((form) => form !== "dag");
    this.#forms = [...new Set([...written, ...stored])];
  }

  async find({ cid }: ObjectRef, signal: Signal): Promise<KeptCopy | undefined> {
    for (const form of this.#forms) {
      throwIfCancelled(signal, `looking for ${cid}`);
      const key = this.#key(cid, form);
      const found = await this.#client.head(key, signal);
      if (found !== undefined) return { key, form, found };
    }
    return undefined;
  }

  keyOf({ cid }: ObjectRef, { form }: StoredCopy): Promise<string> {
    return Promise.resolve(this.#key(cid, form));
  }

  place(object: ObjectRef, form: Form, existing: KeptCopy | undefined): Promise<PutRequest> {
    const key = this.#key(object.cid, form);
    const metadata = objectMetadata(object, form);
    return Promise.resolve({ key, create: existing === undefined, metadata });
  }

  held({ cid }: ObjectRef): Promise<readonly string[]> {
    return Promise.resolve(this.#forms.map((form) => this.#key(cid, form)));
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  list(options: ListOptions): AsyncIterable<ListedCopy> {
    return listBucket(this.#client, this.#options, options);
  }

  storedBytes(): Promise<number> {
    return bytesOf(this.list({}));
  }

  isUploadOfOurs(key: string): Promise<boolean> {
    return Promise.resolve(parseObjectKey(this.#options.prefix, key) !== undefined);
  }

  #key(cid: string, form: Form): string {
    return objectKey(this.#options.prefix, cid, form);
  }
}
