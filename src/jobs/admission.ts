import type { Batch } from "#model/run.ts";
import type { Wait, Work } from "#model/wait.ts";

/**
 * One reason for which work is held back. Pending work is not enqueued while a rule objects;
 * active work is stopped at its next checkpoint and goes on when the rule lets it.
 */
export interface AdmissionRule {
  /** Equals the file name in `src/jobs/admission/`. */
  readonly name: string;
  /** Brings what `judge` looks at up to date; called before each round of questions. */
  refresh?(now: Date): Promise<void>;
  /** Why this work must not go on now; undefined lets it through. Quick, and never throws. */
  judge(work: Work, now: Date): Wait | undefined;
  /** Asked about each batch before it is enqueued; counts those that it lets through. */
  admit?(batch: Batch, now: Date): boolean;
}

/** Asks every rule about work that wants to begin or to go on. */
export class Admission {
  readonly #rules: readonly AdmissionRule[];

  constructor(rules: readonly AdmissionRule[]) {
    this.#rules = rules;
  }

  async refresh(now: Date): Promise<void> {
    for (const rule of this.#rules) await rule.refresh?.(now);
  }

  /** Those of the batches that may begin now, in the order in which they are asked about. */
  admit(batches: readonly Batch[], now: Date): readonly Batch[] {
    return batches.filter((batch) => this.#rules.every((rule) => rule.admit?.(batch, now) ?? true));
  }

  /** The first objection, in the order of the rules. */
  judge(work: Work, now: Date): Wait | undefined {
    for (const rule of this.#rules) {
      const wait = rule.judge(work, now);
      if (wait !== undefined) return wait;
    }
    return undefined;
  }
}
