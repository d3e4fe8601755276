import type { RemoveOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { heldByStorage } from "#model/held-by-storage.ts";
import type {
  BucketClient,
  HeadResult,
  KeyVersion,
  ObjectLock,
} from "#drivers/s3/bucket-client.ts";
import { lockWords } from "#drivers/s3/object-lock.ts";

type Signal = AbortSignal | undefined;

/**
 * Removes a key; says whether there was anything. In buckets with versions an older one would
 * come to light: all of them go, the newest last, so that the copy stays whole until then. What
 * the service has locked is not even asked to be removed, and one locked version keeps them all.
 */
export async function removeKey(
  client: BucketClient,
  key: string,
  { signal, confirm, isOurs }: RemoveKeyOptions,
  onRemoved?: (bytes: number) => void,
): Promise<boolean> {
  const newest = await client.head(key, signal);
  if (newest === undefined || isOurs?.(newest) === false) return false;
  refuseLocked(key, newest.lock);
  const etag = isOurs === undefined ? undefined : newest.etag;
  for (const versionId of await versionsToRemove(client, key, newest, { signal, isOurs })) {
    await confirm?.();
    try {
      await client.remove(key, versionId === undefined ? { etag } : { versionId }, signal);
    } catch (thrown) {
      throw await lockedOr(thrown, client, key, versionId, signal);
    }
  }
  onRemoved?.(newest.bytes);
  return true;
}

export interface RemoveKeyOptions extends Pick<RemoveOptions, "confirm"> {
  readonly signal: Signal;
  /** Where others may store under the same key: what is theirs stays, each version too. */
  readonly isOurs?: ((found: HeadResult) => boolean) | undefined;
}

/** All versions of ours, the newest last; refused when one of them is locked. */
async function versionsToRemove(
  client: BucketClient,
  key: string,
  { versionId }: HeadResult,
  { signal, isOurs }: Omit<RemoveKeyOptions, "confirm">,
): Promise<readonly (string | undefined)[]> {
  // Of what was stored before a bucket had versions, or after, services may not tell the version.
  if (versionId === undefined && !(await client.keepsVersions(signal))) return [undefined];
  const versions = await client.versions(key, signal);
  const newest = versionId ?? versions.find(({ isLatest }) => isLatest)?.versionId;
  // Where others store too, another version may have come since we looked: only the ETag tells.
  if (versionId === undefined && isOurs !== undefined && newest !== "null") return [undefined];
  const older: KeyVersion[] = [];
  for (const version of versions) {
    if (version.versionId === newest) continue;
    if (isOurs === undefined) older.push(version);
    else if (!version.isMarker) {
      const found = await client.head(key, signal, version.versionId);
      if (found !== undefined && isOurs(found)) older.push(version);
    }
  }
  for (const { versionId, isMarker } of older) {
    if (isMarker) continue;
    const lock = await client.versionLock(key, versionId, signal);
    refuseLocked(`version ${versionId} of ${key}`, lock);
  }
  return [...older.map(({ versionId }) => versionId), newest];
}

function refuseLocked(what: string, lock: ObjectLock | undefined): void {
  const words = lockWords(lock, new Date());
  if (words === undefined) return;
  throw heldByStorage(`${what} is ${words}`, lock?.retention?.until.toISOString());
}

/** A lock may be younger than our look, or not shown to our key: then the refusal names it. */
async function lockedOr(
  thrown: unknown,
  client: BucketClient,
  key: string,
  versionId: string | undefined,
  signal: Signal,
): Promise<unknown> {
  const error = EngineError.from(thrown);
  if (error.code !== "FORBIDDEN") return thrown;
  const lock =
    versionId === undefined
      ? (await client.head(key, signal).catch(() => undefined))?.lock
      : await client.versionLock(key, versionId, signal).catch(() => undefined);
  const words = lockWords(lock, new Date());
  if (words !== undefined) return heldByStorage(`${key} is ${words}`);
  return lockNames.test(error.message) ? heldByStorage(error.message) : thrown;
}

/** How services word it: "… protected by object lock", "forbidden by object lock", "WORM". */
const lockNames = /object lock|legal hold|\bWORM\b/i;
