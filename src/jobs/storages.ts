import { throwIfOut } from "#jobs/backend-outage.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { StepContext } from "#jobs/step-context.ts";
import type { StorageIdentity } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { isSameStorage } from "#model/same-storage.ts";

/** Which storage is behind each backend of a step, as it says itself: asked once, where it matters. */
export class Storages {
  readonly #context: Pick<StepContext, "drivers" | "signal">;
  readonly #names = new Map<string, Promise<readonly string[]>>();

  constructor(context: Pick<StepContext, "drivers" | "signal">) {
    this.#context = context;
  }

  /**
   * The first of these backends that is the same storage as this one, at least in part: a copy
   * on the one is a copy on the other. Throws when a storage of the same kind cannot be asked.
   */
  async sameAs(backend: string, others: readonly string[]): Promise<string | undefined> {
    const { drivers } = this.#context;
    const identity = drivers.get(backend)?.identity;
    for (const other of others) {
      const theirs = drivers.get(other)?.identity;
      if (identity === undefined || theirs?.kind !== identity.kind) continue;
      const [own, their] = [await this.#of(backend, identity), await this.#of(other, theirs)];
      if (isSameStorage(own, their)) return other;
    }
    return undefined;
  }

  #of(backend: string, identity: StorageIdentity): Promise<readonly string[]> {
    const known = this.#names.get(backend);
    if (known !== undefined) return known;
    const { drivers, signal } = this.#context;
    const asking = runWithRetries(() => identity.names({ signal }), { signal }).catch(
      async (thrown: unknown) => {
        signal.throwIfAborted();
        const error = EngineError.from(thrown);
        const driver = drivers.get(backend);
        if (driver !== undefined) await throwIfOut(backend, driver, error, false);
        throw error;
      },
    );
    this.#names.set(backend, asking);
    return asking;
  }
}
