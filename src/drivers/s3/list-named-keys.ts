import { canonicalCid } from "#content/cid.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import type { BucketClient, ListPage } from "#drivers/s3/bucket-client.ts";
import { type BucketPlace, copyOfKey, keysOf } from "#drivers/s3/list-bucket.ts";
import { KeyRecords } from "#drivers/s3/key-records.ts";
import { parseObjectKey } from "#drivers/s3/object-key.ts";
import { encodedKey, nameOfKey, recordFolder } from "#drivers/s3/readable-keys.ts";

type Entry = ListPage["entries"][number];

/** Requests under way that ask whose a key is: the listing does not tell. */
const headsAtOnce = 32;

/** Every copy, under whichever key: each that is no CID is asked for its metadata, not its bytes. */
export async function* listNamedKeys(
  client: BucketClient,
  place: BucketPlace,
  options: ListOptions,
): AsyncGenerator<ListedCopy> {
  const asked: Promise<ListedCopy | undefined>[] = [];
  try {
    for await (const entry of ownKeys(client, place, options)) {
      const answer = copyAt(client, place, entry, options);
      // Its failure is met when its turn comes.
      answer.catch(() => undefined);
      asked.push(answer);
      if (asked.length < headsAtOnce) continue;
      const listed = await asked.shift();
      if (listed !== undefined) yield listed;
    }
    for (const answer of asked.splice(0)) {
      const listed = await answer;
      if (listed !== undefined) yield listed;
    }
  } finally {
    await Promise.allSettled(asked);
  }
}

/** Keys in all folders but those of records and of named files. */
export async function* ownKeys(
  client: BucketClient,
  place: BucketPlace,
  options: ListOptions,
): AsyncGenerator<Entry> {
  const others = [`${place.prefix}${recordFolder}`, `${place.prefix}named/`];
  for await (const entry of keysOf(client, { ...place, folders: true }, options)) {
    if (!others.some((folder) => entry.key.startsWith(folder))) yield entry;
  }
}

async function copyAt(
  client: BucketClient,
  place: BucketPlace,
  { key, bytes }: Entry,
  { signal }: ListOptions,
): Promise<ListedCopy | undefined> {
  const { bucket, prefix } = place;
  if (parseObjectKey(prefix, key) !== undefined) {
    const plain = copyOfKey(place, key, bytes);
    return plain && { ...plain, cursor: key };
  }
  const found = await new KeyRecords(client, prefix).look(key, signal);
  if (found === undefined || found === "another's") return undefined;
  const { cid = "", size, form: stored } = found.metadata;
  if (found.metadata["key"] !== encodedKey(key) || !isCid(cid)) return undefined;
  const form = stored === "car" ? "car" : "file";
  const copy = { locator: `s3://${bucket}/${key}`, form, bytes: found.bytes } as const;
  const told = Number(size);
  const content = form === "file" ? found.bytes : Number.isSafeInteger(told) ? told : undefined;
  return { cid, copy, size: content, name: nameOfKey(prefix, key, cid, form), cursor: key };
}

function isCid(text: string): boolean {
  try {
    return canonicalCid(text) === text;
  } catch {
    return false;
  }
}
