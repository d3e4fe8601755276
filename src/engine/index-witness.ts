import { setTimeout as sleep } from "node:timers/promises";
import type { Term, TermBook } from "#index/terms.ts";
import type { HeldLease } from "#jobs/lease/held-lease.ts";
import { unwrittenMark } from "#jobs/lease/lease-store.ts";
import { leaseTiming } from "#jobs/lease/lease-timing.ts";
import { EngineError } from "#model/engine-error.ts";

/** The two places in which it is noted how far the index was written. */
export interface MarkedPlaces {
  readonly terms: Pick<TermBook, "begin" | "mark">;
  readonly lease: Pick<HeldLease, "lastMark" | "note" | "noteSoon" | "lost">;
  /** As the holder of the lease names the data directory. */
  readonly directory: string;
}

/**
 * Writes a term into the index, then notes its mark beside the lease: before that no permit may
 * be issued. Whoever follows a process that was killed in between finds an index that has what is
 * noted; where nothing is noted yet, which term is being written is noted first.
 */
export async function writeTerm(
  term: Term,
  { terms, lease, directory }: MarkedPlaces,
): Promise<void> {
  const last = await lease.lastMark();
  if (last?.term === "" && term.mark !== undefined) {
    const found = await terms.mark();
    // One that was written and not noted any more is noted now, or this one would hide it.
    const isWritten = found.term !== "" && found.term === last.next;
    await lease.note(
      isWritten ? { index: directory, ...found } : { ...unwrittenMark, next: term.mark },
    );
  }
  await terms.begin(term);
  await lease.note({ index: directory, ...(await terms.mark()) });
}

/**
 * Has the lease note how far its holder has written the index, so that an index that is put back
 * is told from the one that led last (docs/decisions/0147-an-index-that-is-put-back.md).
 */
export class IndexWitness {
  readonly #places: MarkedPlaces;
  readonly #onError: (error: EngineError) => void;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  /** Begins at once, behind `writeTerm`. */
  constructor(places: MarkedPlaces, onError: (error: EngineError) => void) {
    this.#places = places;
    this.#onError = onError;
    this.#looking = this.#keepLooking();
  }

  /** Nothing is written any more: what there is now is noted when the lease is released. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    await this.#looking;
    await this.#look();
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#places.lease.lost.aborted) {
      await sleep(leaseTiming.renewEveryMs, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.#look();
    }
  }

  async #look(): Promise<void> {
    const { terms, lease, directory } = this.#places;
    try {
      lease.noteSoon({ index: directory, ...(await terms.mark()) });
    } catch (error) {
      // What was noted before is still true.
      if (!this.#stop.signal.aborted) this.#onError(EngineError.from(error));
    }
  }
}
