import type { RemoveOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { heldByStorage } from "#model/held-by-storage.ts";
import type { BucketClient, HeadResult, ObjectLock } from "#drivers/s3/bucket-client.ts";
import { lockWords, storageLock } from "#drivers/s3/object-lock.ts";
import { ownVersions, type OwnVersionsOptions } from "#drivers/s3/own-versions.ts";

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

export type RemoveKeyOptions = Pick<RemoveOptions, "confirm"> & OwnVersionsOptions;

/** All versions of ours, the newest last; refused when one of them is locked. */
async function versionsToRemove(
  client: BucketClient,
  key: string,
  found: HeadResult,
  options: OwnVersionsOptions,
): Promise<readonly (string | undefined)[]> {
  const { newest, older } = await ownVersions(client, key, found, options);
  for (const { versionId, isMarker } of older) {
    if (isMarker) continue;
    const lock = await client.versionLock(key, versionId, options.signal);
    refuseLocked(`version ${versionId} of ${key}`, lock);
  }
  return [...older.map(({ versionId }) => versionId), newest];
}

function refuseLocked(what: string, lock: ObjectLock | undefined): void {
  const words = lockWords(lock, new Date());
  if (lock === undefined || words === undefined) return;
  throw heldByStorage(`${what} is ${words}`, storageLock(lock));
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
  if (lock && words !== undefined) return heldByStorage(`${key} is ${words}`, storageLock(lock));
  if (!lockNames.test(wordsOfService(error, key))) return thrown;
  const until = new Date(Date.now() + askAgainAfterMs).toISOString();
  return heldByStorage(error.message, { legalHold: false, until });
}

/** What the service itself said, without the names of keys and buckets: people may call them anything. */
function wordsOfService({ cause }: EngineError, key: string): string {
  if (!(cause instanceof Error)) return "";
  const names = [key, encodeURIComponent(key), encodeURI(key)];
  const words = names.reduce((text, name) => text.replaceAll(name, " "), cause.message);
  return words.replaceAll(/\barn:[^\s"]+/g, " ");
}

/** A lock that is not shown to our key is believed for so long. */
const askAgainAfterMs = 24 * 3_600_000;

/** How services word it: "… protected by object lock", "forbidden by object lock", "WORM". */
const lockNames = /object lock|legal hold|\bWORM\b/i;
