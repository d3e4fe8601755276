import type { ObjectRef, StorageLock } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BucketClient, ObjectLock } from "#drivers/s3/bucket-client.ts";
import type { CopyKeys } from "#drivers/s3/copy-keys.ts";
import { lockWords, storageLock } from "#drivers/s3/object-lock.ts";
import { olderVersions } from "#drivers/s3/own-versions.ts";

type Signal = AbortSignal | undefined;

/**
 * What S3 Object Lock keeps of copies. A copy goes with all its versions, so that the lock of each of
 * them is one on the copy: the last to end counts.
 */
export class CopyLocks {
  readonly #client: BucketClient;
  readonly #keys: CopyKeys;

  constructor(client: BucketClient, keys: CopyKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  /**
   * Null where no lock is shown; undefined where there is no copy. A key that has no right to see
   * locks is shown none: what it was refused because of one is remembered apart.
   */
  async of(object: ObjectRef, signal: Signal): Promise<StorageLock | null | undefined> {
    if ((await this.#client.keepsLocks(signal)) === "no") return null;
    const locks: (ObjectLock | undefined)[] = [];
    for (const key of await this.#keys.held(object, signal)) {
      const newest = await this.#client.head(key, signal);
      const isOurs = this.#keys.isCopyOf?.bind(this.#keys, object, key);
      if (newest === undefined || isOurs?.(newest) === false) continue;
      locks.push(newest.lock);
      try {
        for (const { versionId } of await olderVersions(this.#client, key, newest, {
          signal,
          isOurs,
        })) {
          locks.push(await this.#client.versionLock(key, versionId, signal));
        }
      } catch (thrown) {
        // Without the right to list versions only the newest shows its lock.
        if (EngineError.from(thrown).code !== "FORBIDDEN") throw thrown;
      }
    }
    if (locks.length === 0) return undefined;
    const now = new Date();
    const holding = locks.filter((lock) => lockWords(lock, now) !== undefined);
    return longest(holding.filter((one) => one !== undefined)) ?? null;
  }

  /** The same for a copy that was just checked: where that fails, the check stands without it. */
  async seenWith(object: ObjectRef, signal: Signal): Promise<{ lock?: StorageLock | null }> {
    try {
      // Every key may read what it wrote; only a bucket that can lock is worth another request.
      if ((await this.#client.keepsLocks(signal)) !== "yes") return {};
      const lock = await this.of(object, signal);
      return lock === undefined ? {} : { lock };
    } catch (thrown) {
      if (signal?.aborted === true) throw thrown;
      return {};
    }
  }
}

/** The legal hold of any, and of the times the last. */
function longest(locks: readonly ObjectLock[]): StorageLock | undefined {
  if (locks.length === 0) return undefined;
  const [last] = locks
    .flatMap(({ retention }) => retention ?? [])
    .toSorted((a, b) => b.until.getTime() - a.until.getTime());
  return storageLock({ legalHold: locks.some(({ legalHold }) => legalHold), retention: last });
}
