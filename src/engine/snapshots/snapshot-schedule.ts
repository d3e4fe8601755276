import { setTimeout as sleep } from "node:timers/promises";
import { failureOf } from "#engine/failure-of.ts";
import type { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { SnapshotSummary } from "#model/index-snapshot.ts";

export interface SnapshotScheduleOptions {
  readonly desk: SnapshotDesk;
  readonly take: () => Promise<SnapshotSummary>;
  readonly everyMs: number;
  /** So many stay, here and on each backend. */
  readonly keep: number;
  /** Backends that get every one of them. */
  readonly push: readonly string[];
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** What failed is tried again so soon, unless the next one is due before. */
const retryMs = 5 * 60_000;
/** Timers do not count beyond 24 days, and clocks are set: the time is looked at this often. */
const waitMaxMs = 60 * 60_000;

/**
 * Takes snapshots by the clock while this process is the controller, gives up old ones, and
 * pushes the newest. What is due follows from the snapshots themselves, so a restart neither
 * forgets nor repeats one.
 */
export class SnapshotSchedule {
  readonly #options: SnapshotScheduleOptions;
  readonly #stop = new AbortController();
  /** Backends that may lack the newest one; after a start that is not known of any. */
  readonly #behind: Set<string>;
  #lookedAt = -Infinity;
  #loop: Promise<void> | undefined;

  constructor(options: SnapshotScheduleOptions) {
    this.#options = options;
    this.#behind = new Set(options.push);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Does what is due, and says in how many milliseconds to look again. */
  async look(): Promise<number> {
    const { everyMs, push, now } = this.#options;
    let failed = false;
    if (now().getTime() >= (await this.#dueAt())) {
      failed = !(await this.#try("taking a snapshot", () => this.#take()));
      for (const backend of push) this.#behind.add(backend);
    }
    for (const backend of this.#behind) {
      const pushed = await this.#try(`pushing to ${backend}`, () => this.#push(backend));
      if (pushed) this.#behind.delete(backend);
      else failed = true;
    }
    if (failed) return Math.min(retryMs, everyMs);
    const waitMs = Math.max(0, (await this.#dueAt()) - now().getTime());
    return Math.min(waitMs, everyMs, waitMaxMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const waitMs = await this.look().catch((error: unknown) => {
        this.#report(error, "looking at the snapshots");
        return retryMs;
      });
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One that found nothing new is the older one: the look itself counts too. */
  async #dueAt(): Promise<number> {
    const { desk, everyMs, now } = this.#options;
    const own = await desk.store.newestOwn();
    const newest = own === undefined ? -Infinity : Date.parse(own.manifest.takenAt);
    // One from the future, by a clock that was wrong, must not put off all that come.
    const last = Math.max(newest > now().getTime() ? -Infinity : newest, this.#lookedAt);
    return last + everyMs;
  }

  async #take(): Promise<void> {
    const { desk, take, keep, now } = this.#options;
    await take();
    this.#lookedAt = now().getTime();
    await desk.methods.collectSnapshots({ keep });
  }

  async #push(backend: string): Promise<void> {
    const { desk, keep } = this.#options;
    const own = await desk.store.newestOwn();
    if (own === undefined) return;
    await desk.methods.pushSnapshot({ snapshot: own.cid, to: backend });
    await desk.methods.collectSnapshots({ keep, on: backend });
  }

  async #try(what: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      this.#report(error, what);
      return false;
    }
  }

  #report(thrown: unknown, what: string): void {
    if (!this.#stop.signal.aborted) this.#options.onError(failureOf(what, thrown));
  }
}
