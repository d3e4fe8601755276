import type {
  BucketFile,
  ByteStream,
  CallOptions,
  InventoryFiles,
  ListedCopy,
} from "#model/driver.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { copyOfKey, keysOf } from "#drivers/s3/list-bucket.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/**
 * What a bucket is for inventories that S3 writes of it. These lie in another bucket as a rule,
 * which is reached with the same credentials.
 */
export class BucketInventoryFiles implements InventoryFiles {
  readonly bucket: string;
  readonly #options: S3Options;
  readonly #reach: (bucket: string) => BucketClient;

  constructor(options: S3Options, reach: (bucket: string) => BucketClient) {
    this.bucket = options.bucket;
    this.#options = options;
    this.#reach = reach;
  }

  copyOf(key: string, bytes: number): Omit<ListedCopy, "cursor"> | undefined {
    return copyOfKey(this.#options, key, bytes);
  }

  async *read({ bucket, key }: BucketFile, { signal }: CallOptions = {}): ByteStream {
    const client = this.#reach(bucket);
    try {
      yield* client.get(key, undefined, signal);
    } finally {
      client.close();
    }
  }

  async *keys({ bucket, key }: BucketFile, options: CallOptions = {}): AsyncGenerator<string> {
    const client = this.#reach(bucket);
    try {
      const place = { bucket, prefix: key, folders: true };
      for await (const entry of keysOf(client, place, options)) yield entry.key;
    } finally {
      client.close();
    }
  }
}
