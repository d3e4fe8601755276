import type { HeldWork, Wait, Work } from "#model/wait.ts";

/** What is held back right now and since when, as the last round of the dispatcher found it. */
export class WaitBoard {
  #held = new Map<string, HeldWork>();
  #next = new Map<string, HeldWork>();

  /** Notes in this round that work is held back. */
  hold(work: Work, wait: Wait, batches: number, now: Date): void {
    const key = JSON.stringify([
      work.runId,
      work.lane,
      work.policy,
      work.verb,
      work.source,
      work.target,
      work.victim,
      wait.reason,
    ]);
    const since = this.#held.get(key)?.since ?? now.toISOString();
    this.#next.set(key, { work, wait, since, batches });
  }

  /** Ends a round: what was not noted in it is held no more. */
  turn(): void {
    this.#held = this.#next;
    this.#next = new Map();
  }

  list(): readonly HeldWork[] {
    return [...this.#held.values()];
  }
}
