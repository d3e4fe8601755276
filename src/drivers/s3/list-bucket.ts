import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { parseObjectKey } from "#drivers/s3/object-key.ts";

const pageKeys = 1_000;

/** Every copy in the bucket in the order of keys; the cursor is the key. */
export async function* listBucket(
  client: BucketClient,
  place: { readonly bucket: string; readonly prefix: string },
  { cursor, signal }: ListOptions,
): AsyncGenerator<ListedCopy> {
  const { bucket, prefix } = place;
  let token: string | undefined;
  do {
    throwIfCancelled(signal, `listing ${bucket}`);
    const request = { prefix, folders: false, after: cursor, token, limit: pageKeys };
    const page = await client.list(request, signal);
    for (const { key, bytes } of page.entries) {
      const stored = parseObjectKey(prefix, key);
      if (stored === undefined) continue;
      throwIfCancelled(signal, `listing ${bucket}`);
      yield {
        cid: stored.cid,
        copy: { locator: `s3://${bucket}/${key}`, form: stored.form, bytes },
        size: stored.form === "file" ? bytes : undefined,
        cursor: key,
      };
    }
    token = page.token;
  } while (token !== undefined);
}
