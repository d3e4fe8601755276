import type { ObjectRef, StorageLock } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import type { BucketClient, LocksShown, ObjectLock } from "#drivers/s3/bucket-client.ts";
import type { CopyKeys } from "#drivers/s3/copy-keys.ts";
import { lockWords, storageLock } from "#drivers/s3/object-lock.ts";
import { olderVersions } from "#drivers/s3/own-versions.ts";

type Signal = AbortSignal | undefined;

/** Rights are those of the whole backend: they are not asked for of each key. */
const shownForMs = 60_000;

/**
 * What S3 Object Lock keeps of copies. A copy goes with all its versions, so that the lock of each of
 * them is one on the copy: the last to end counts.
 */
export class CopyLocks {
  readonly #client: BucketClient;
  readonly #keys: CopyKeys;
  #known: { readonly at: number; readonly shown: LocksShown } | undefined;

  constructor(client: BucketClient, keys: CopyKeys) {
    this.#client = client;
    this.#keys = keys;
  }

  /**
   * Null where there is no lock for sure; undefined where there is no copy, or none is shown to
   * credentials that may not see all: what they were refused because of one is remembered apart.
   */
  async of(object: ObjectRef, signal: Signal): Promise<StorageLock | null | undefined> {
    const kept = await this.#client.keepsLocks(signal);
    let shown = this.#shownBefore();
    if (kept === "no" || shown === "unlockable") return null;
    const locks: (ObjectLock | undefined)[] = [];
    for (const key of await this.#keys.held(object, signal)) {
      if (shown === "none") return undefined;
      const newest = await this.#client.head(key, signal);
      const isOurs = this.#keys.isCopyOf?.bind(this.#keys, object, key);
      if (newest === undefined || isOurs?.(newest) === false) continue;
      shown ??= await this.#ask(key, kept, signal);
      locks.push(newest.lock);
      if (shown === "none" || shown === "unlockable") continue;
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
        shown = "some";
      }
    }
    if (locks.length === 0) return undefined;
    const now = new Date();
    const holding = locks.filter((lock) => lockWords(lock, now) !== undefined);
    const lock = longest(holding.filter((one) => one !== undefined));
    return lock ?? (shown === "all" || shown === "unlockable" ? null : undefined);
  }

  /** The same for a copy that was just checked: where that fails, the check stands without it. */
  async seenWith(object: ObjectRef, signal: Signal): Promise<{ lock?: StorageLock | null }> {
    try {
      // Every key may read what it wrote; only where a lock may be, and be seen, another request is worth it.
      if ((await this.#client.keepsLocks(signal)) === "no") return {};
      const shown = this.#shownBefore();
      if (shown === "none" || shown === "unlockable") return {};
      const lock = await this.of(object, signal);
      return lock === undefined ? {} : { lock };
    } catch (thrown) {
      if (signal?.aborted === true) throw thrown;
      return {};
    }
  }

  #shownBefore(): LocksShown | undefined {
    const known = this.#known;
    return known && performance.now() - known.at < shownForMs ? known.shown : undefined;
  }

  /** A bucket that says it locks objects is not believed to lock none. */
  async #ask(key: string, kept: "yes" | "unknown", signal: Signal): Promise<LocksShown> {
    const told = await this.#client.locksShown(key, signal);
    const shown = kept === "yes" && told === "unlockable" ? "none" : told;
    if (shown !== "unknown") this.#known = { at: performance.now(), shown };
    return shown;
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
