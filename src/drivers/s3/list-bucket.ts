import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { BucketClient, ListPage } from "#drivers/s3/bucket-client.ts";
import { parseObjectKey } from "#drivers/s3/object-key.ts";
import { refuseNamedCopies } from "#drivers/s3/refuse-named-copies.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

const pageKeys = 1_000;

/** Where in which bucket copies lie. */
export interface BucketPlace {
  readonly bucket: string;
  readonly prefix: string;
}

/** The copy under a key, or undefined when it is none of ours. */
export function copyOfKey(
  { bucket, prefix }: BucketPlace,
  key: string,
  bytes: number,
): Omit<ListedCopy, "cursor"> | undefined {
  const stored = parseObjectKey(prefix, key);
  if (stored === undefined) return undefined;
  const { cid, form } = stored;
  const copy = { locator: `s3://${bucket}/${key}`, form, bytes };
  return { cid, copy, size: form === "file" ? bytes : undefined };
}

/** Every copy in the bucket in the order of keys; the cursor is the key. */
export async function* listBucket(
  client: BucketClient,
  place: BucketPlace & Pick<S3Options, "layout">,
  options: ListOptions,
): AsyncGenerator<ListedCopy> {
  const refuse = (folders: readonly string[]): void => {
    refuseNamedCopies(place, folders);
  };
  const plain = { ...place, folders: false };
  for await (const { key, bytes } of keysOf(client, plain, options, refuse)) {
    const listed = copyOfKey(place, key, bytes);
    if (listed === undefined) continue;
    throwIfCancelled(options.signal, `listing ${place.bucket}`);
    yield { ...listed, cursor: key };
  }
}

/** Keys that begin with the prefix in the order of their bytes, page by page, behind a cursor. */
export async function* keysOf(
  client: BucketClient,
  { bucket, prefix, folders }: BucketPlace & { readonly folders: boolean },
  { cursor, signal }: ListOptions,
  onFolders?: (folders: readonly string[]) => void,
): AsyncGenerator<ListPage["entries"][number]> {
  let token: string | undefined;
  do {
    throwIfCancelled(signal, `listing ${bucket}`);
    const request = { prefix, folders, after: cursor, token, limit: pageKeys };
    const page = await client.list(request, signal);
    onFolders?.(page.folders);
    yield* page.entries;
    token = page.token;
  } while (token !== undefined);
}
