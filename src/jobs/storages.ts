import { throwIfOut } from "#jobs/backend-outage.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { StepContext } from "#jobs/step-context.ts";
import type { StorageIdentity } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isSameStorage, type StorageName } from "#model/same-storage.ts";

/**
 * Which storage is behind each backend, as it says itself just now: asked once, where it matters.
 * What is behind a backend changes (a disk is mounted, a peer of a cluster comes back), so none of
 * these lives longer than the copies that are looked at together.
 */
export class Storages {
  readonly #context: Pick<StepContext, "drivers" | "signal">;
  readonly #names = new Map<string, Promise<readonly StorageName[]>>();

  constructor(context: Pick<StepContext, "drivers" | "signal">) {
    this.#context = context;
  }

  /**
   * The first of these backends that is the same storage as this one, at least in part: a copy
   * on the one is a copy on the other. Throws when a storage of the same kind cannot be asked.
   */
  async sameAs(backend: string, others: readonly string[]): Promise<string | undefined> {
    const identity = this.#identity(backend);
    for (const other of others) {
      const theirs = this.#identity(other);
      if (identity === undefined || theirs?.kind !== identity.kind) continue;
      const [own, their] = [await this.#of(backend, identity), await this.#of(other, theirs)];
      if (isSameStorage(own, their)) return other;
    }
    return undefined;
  }

  /** The first of these backends that holds a copy which this one said is held by `holders`. */
  async holding(
    backend: string,
    holders: readonly string[],
    others: readonly string[],
  ): Promise<string | undefined> {
    const kind = this.#identity(backend)?.kind;
    for (const other of holders.length === 0 ? [] : others) {
      const identity = this.#identity(other);
      if (identity === undefined || identity.kind !== kind) continue;
      if (isSameStorage(holders, await this.#of(other, identity))) return other;
    }
    return undefined;
  }

  #identity(backend: string): StorageIdentity | undefined {
    return this.#context.drivers.get(backend)?.identity;
  }

  #of(backend: string, identity: StorageIdentity): Promise<readonly StorageName[]> {
    const known = this.#names.get(backend);
    if (known !== undefined) return known;
    const { drivers, signal } = this.#context;
    const asking = runWithRetries(() => identity.names({ signal }), { signal }).catch(
      async (thrown: unknown) => {
        signal.throwIfAborted();
        const error = EngineError.from(thrown);
        const driver = drivers.get(backend);
        if (driver !== undefined) await throwIfOut(backend, driver, error, false);
        throw cannotSay(backend, error);
      },
    );
    this.#names.set(backend, asking);
    return asking;
  }
}

function cannotSay(backend: string, error: EngineError): EngineError {
  const { code, message, hint, details } = error;
  const said = `which storage backend ${backend} is could not be asked: ${message}`;
  const what = hint === undefined ? said : `${said}; ${hint}`;
  return new EngineError(code, what, { cause: error, details });
}
