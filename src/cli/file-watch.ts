import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "#model/engine-error.ts";

/** Programs write a file in several steps: it is looked at once they have been quiet for so long. */
const quietMs = 80;

/** Tells which files in some folders changed, as the operating system reports it. */
export class FileWatch implements Disposable {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  #events = 0;
  #wake = Promise.withResolvers<void>();

  /** Watches these folders, not what is below them, and no others. */
  follow(folders: ReadonlySet<string>): void {
    for (const folder of this.#watchers.keys()) if (!folders.has(folder)) this.#leave(folder);
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#enter(folder);
  }

  /** Paths of what changed since the last call, once something did; none when it was stopped. */
  async changes(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const stopped = Promise.withResolvers<void>();
    const stop = () => {
      stopped.resolve();
    };
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#wake.promise, stopped.promise]);
    signal.removeEventListener("abort", stop);
    for (let seen = -1; seen !== this.#events && !signal.aborted;) {
      seen = this.#events;
      await sleep(quietMs, undefined, { signal }).catch(() => undefined);
    }
    const changed = new Set(signal.aborted ? [] : this.#changed);
    this.#changed.clear();
    this.#wake = Promise.withResolvers<void>();
    return changed;
  }

  [Symbol.dispose](): void {
    this.follow(new Set());
  }

  #enter(folder: string): void {
    try {
      const watcher = watch(folder, (_kind, name) => {
        this.#note(name === null ? folder : join(folder, name));
      });
      watcher.on("error", () => {
        this.#leave(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException;
      // It went just now; when it comes back, its parent tells.
      if (code === "ENOENT") return;
      const hint = code === "ENOSPC" ? { hint: "raise fs.inotify.max_user_watches" } : {};
      throw new EngineError("UNAVAILABLE", `${folder} cannot be watched: ${message}`, hint);
    }
  }

  #leave(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #note(path: string): void {
    this.#changed.add(path);
    this.#events += 1;
    this.#wake.resolve();
  }
}
