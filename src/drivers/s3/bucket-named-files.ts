import type { ByteStream, CallOptions, NamedBody, NamedFile, NamedFiles } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { checkFileName } from "#drivers/contract/check-file-name.ts";
import { namedFileBody } from "#drivers/contract/named-file-body.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";
import { uploadBody } from "#drivers/s3/upload-body.ts";

const pageKeys = 1_000;
/** Versions of one key that one removal takes away, newest first. */
const versionsMax = 1_000;

/** Files by name under `named/` in the folder of a bucket. */
export class BucketNamedFiles implements NamedFiles {
  readonly #client: BucketClient;
  readonly #options: S3Options;
  readonly #prefix: string;

  constructor(client: BucketClient, options: S3Options) {
    this.#client = client;
    this.#options = options;
    this.#prefix = `${options.prefix}named/`;
  }

  async writeNamed(name: string, body: NamedBody, { signal }: CallOptions = {}): Promise<void> {
    const request = { key: this.#key(name), metadata: {}, create: false };
    throwIfCancelled(signal, `writing ${name}`);
    await uploadBody(this.#client, request, namedFileBody(name, body, signal), {
      partBytes: this.#options.partSize,
      concurrency: this.#options.concurrency,
      expectedBytes: body.bytes,
      signal,
    });
  }

  readNamed(name: string, { signal }: CallOptions = {}): Promise<ByteStream> {
    const bytes = this.#client.get(this.#key(name), undefined, signal);
    return Promise.resolve(stopOnAbort(bytes, signal, `reading ${name}`));
  }

  async listNamed(folder: string, { signal }: CallOptions = {}): Promise<readonly NamedFile[]> {
    const prefix = `${this.#key(folder)}/`;
    const files: NamedFile[] = [];
    let token: string | undefined;
    do {
      throwIfCancelled(signal, `listing ${folder}`);
      const request = { prefix, folders: true, after: undefined, token, limit: pageKeys };
      const page = await this.#client.list(request, signal);
      for (const { key, bytes } of page.entries) {
        files.push({ name: key.slice(this.#prefix.length), bytes });
      }
      token = page.token;
    } while (token !== undefined);
    return files;
  }

  /** In buckets with versions an older one would come to light: all of them go. */
  async removeNamed(name: string, { signal }: CallOptions = {}): Promise<void> {
    const key = this.#key(name);
    for (let version = 0; version < versionsMax; version++) {
      const found = await this.#client.head(key, signal);
      if (found === undefined) return;
      await this.#client.remove(key, { versionId: found.versionId }, signal);
      if (found.versionId === undefined) return;
    }
  }

  #key(name: string): string {
    return this.#prefix + checkFileName(name);
  }
}
