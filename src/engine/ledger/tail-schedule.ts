import { setTimeout as sleep } from "node:timers/promises";
import { failureOf } from "#engine/failure-of.ts";
import { pushTails } from "#engine/ledger/push-tails.ts";
import type { TailWriter } from "#engine/ledger/tail-writer.ts";
import type { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import type { EngineError } from "#model/engine-error.ts";

export interface TailScheduleOptions {
  readonly desk: Pick<SnapshotDesk, "store" | "remote" | "ownInstallation" | "tailed">;
  readonly writer: Pick<TailWriter, "write" | "hasBegun">;
  readonly everyMs: number;
  readonly now: () => Date;
  /** Backends that get every tail. */
  readonly push: readonly string[];
  readonly onError: (error: EngineError) => void;
}

/** How long the end of a controller waits for a backend to take its last word. */
const closingMs = 10_000;

/**
 * Writes tails of the ledger by the clock while this process is the controller, and once more at
 * its end, and brings them to the backends that keep its snapshots.
 */
export class TailSchedule {
  readonly #options: TailScheduleOptions;
  readonly #stop = new AbortController();
  /** Backends that may lack some; after a start that is not known of any. */
  readonly #behind: Set<string>;
  #loop: Promise<void> | undefined;

  constructor(options: TailScheduleOptions) {
    this.#options = options;
    this.#behind = new Set(options.push);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Writes what came last; nothing may be recorded any more. */
  async close(): Promise<void> {
    if (this.#loop === undefined) return;
    this.#stop.abort();
    await this.#loop;
    for (const failure of await this.look(AbortSignal.timeout(closingMs))) {
      this.#options.onError(failure);
    }
  }

  /** Writes what is new and sends what is lacking; says what failed, which is tried next time. */
  async look(signal?: AbortSignal): Promise<readonly EngineError[]> {
    const { desk, writer, push, now } = this.#options;
    // What was committed before is in the tail. An entry may bear an earlier time than this and be
    // committed after it: it comes with the next tail.
    const asOf = now();
    let isWritten = false;
    const failures: EngineError[] = [];
    const attempt = async (what: string, act: () => Promise<void>): Promise<void> => {
      await act().catch((error: unknown) => failures.push(failureOf(what, error)));
    };
    await attempt("writing the ledger's tail", async () => {
      if ((await writer.write()) > 0) for (const backend of push) this.#behind.add(backend);
      isWritten = writer.hasBegun;
    });
    for (const backend of this.#behind) {
      await attempt(`pushing the ledger's tail to ${backend}`, async () => {
        const installation = await desk.ownInstallation();
        if (installation === undefined) return;
        await pushTails(desk.store, await desk.remote(backend, signal), installation);
        this.#behind.delete(backend);
      });
    }
    if (isWritten) {
      const upToDate = push.filter((backend) => !this.#behind.has(backend));
      for (const place of ["here", ...upToDate]) desk.tailed.set(place, asOf);
    }
    return failures;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const failures = await this.look(signal);
      // What the end cut off is done again there.
      if (!signal.aborted) for (const failure of failures) this.#options.onError(failure);
      await sleep(this.#options.everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
