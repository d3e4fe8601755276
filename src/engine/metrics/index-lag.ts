import type { QueueCount } from "#jobs/queue-counts.ts";
import { indexQueue } from "#jobs/lanes.ts";

const waitingStates: ReadonlySet<string> = new Set(["waiting", "prioritized", "delayed"]);

/**
 * For how long results have waited to be written into the index without any being written.
 * Seen from outside: results wait at every look, and nothing was committed since the first.
 */
export class IndexLag {
  #since: { readonly at: number; readonly version: number } | undefined;

  /** Seconds; 0 when nothing waits or commits go on. `version` counts the commits. */
  seconds(counts: readonly QueueCount[], version: number, now: Date): number {
    const waiting = counts.some(
      ({ queue, state, jobs }) => queue === indexQueue && waitingStates.has(state) && jobs > 0,
    );
    if (!waiting) this.#since = undefined;
    else if (this.#since?.version !== version) this.#since = { at: now.getTime(), version };
    return this.#since === undefined ? 0 : (now.getTime() - this.#since.at) / 1_000;
  }
}
