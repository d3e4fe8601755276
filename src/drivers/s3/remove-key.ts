import type { RemoveOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { heldByStorage } from "#model/held-by-storage.ts";
import type { BucketClient, HeadResult } from "#drivers/s3/bucket-client.ts";
import { lockWords } from "#drivers/s3/object-lock.ts";

/** Versions of one key that one removal takes away, newest first. */
const versionsMax = 1_000;

/**
 * Removes a key; says whether there was anything. In buckets with versions an older one would
 * come to light: all of them go. What the service has locked is not even asked to be removed.
 */
export async function removeKey(
  client: BucketClient,
  key: string,
  { signal, confirm }: RemoveOptions,
  onRemoved: (bytes: number) => void,
): Promise<boolean> {
  let found = await client.head(key, signal);
  if (found === undefined) return false;
  for (let version = 0; found !== undefined && version < versionsMax; version++) {
    refuseLocked(key, found);
    await confirm?.();
    try {
      await client.remove(key, found.versionId, signal);
    } catch (thrown) {
      throw await lockedOr(thrown, client, key, signal);
    }
    onRemoved(found.bytes);
    // Without versions one removal is the end of it.
    found = found.versionId === undefined ? undefined : await client.head(key, signal);
  }
  return true;
}

function refuseLocked(key: string, { lock }: HeadResult): void {
  const words = lockWords(lock, new Date());
  if (words === undefined) return;
  throw heldByStorage(`${key} is ${words}`, lock?.retention?.until.toISOString());
}

/** A lock may be younger than our look, or not shown to our key: then the refusal names it. */
async function lockedOr(
  thrown: unknown,
  client: BucketClient,
  key: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const error = EngineError.from(thrown);
  if (error.code !== "FORBIDDEN") return thrown;
  const found = await client.head(key, signal).catch(() => undefined);
  const words = found && lockWords(found.lock, new Date());
  if (words !== undefined) return heldByStorage(`${key} is ${words}`);
  return lockNames.test(error.message) ? heldByStorage(error.message) : thrown;
}

/** How services word it: "… protected by object lock", "forbidden by object lock", "WORM". */
const lockNames = /object lock|legal hold|\bWORM\b/i;
