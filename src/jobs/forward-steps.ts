/** Two clocks: one that somebody may set, and one that nobody can. */
export interface StepClocks {
  wallMs(): number;
  monotonicMs(): number;
}

export interface ForwardStepsOptions extends StepClocks {
  /** Steps up to this are within what clocks may differ anyway. */
  readonly toleratedMs: number;
  /** So long after a step, permits that were issued before it may be in use. */
  readonly holdMs: number;
  /** For so long they may be in use already: earlier controllers issued them. Default 0. */
  readonly heldMs?: number;
  /** Hears of each step above what is tolerated, and for how long permits are held then. */
  readonly onStep?: (aheadMs: number, holdMs: number) => void;
}

/**
 * Notices when the clock of the controller is set forward. Workers that have not heard it since
 * use permits by what it showed before, so that one which has run out by the new time may be in
 * use: until that is over by a clock that nobody sets, none is settled and none issued. Small
 * steps are added up over the time for which a permit may be in use. A machine that slept looks
 * the same, since its monotonic clock stood still.
 */
export class ForwardSteps {
  readonly #options: ForwardStepsOptions;
  /** The least that the one clock was ahead of the other: since `#since`, and in the time before. */
  #least: number;
  #leastBefore: number;
  #since: number;
  #heldUntil: number;

  constructor(options: ForwardStepsOptions) {
    this.#options = options;
    this.#since = options.monotonicMs();
    this.#least = options.wallMs() - this.#since;
    this.#leastBefore = this.#least;
    this.#heldUntil = this.#since + (options.heldMs ?? 0);
  }

  /**
   * Looks at both clocks: for how many more milliseconds permits may be in use that have run out
   * by the wall clock, or of which earlier controllers alone knew. Counted by the clock that nobody
   * sets, so that it neither ends early nor late when the other one is set. 0 when there are none.
   */
  heldMs(): number {
    const { toleratedMs, holdMs, onStep } = this.#options;
    const now = this.#options.monotonicMs();
    const ahead = this.#options.wallMs() - now;
    if (now - this.#since >= holdMs) {
      this.#leastBefore = this.#least;
      this.#least = ahead;
      this.#since = now;
    }
    this.#least = Math.min(this.#least, ahead);
    const stepMs = ahead - Math.min(this.#least, this.#leastBefore);
    if (stepMs > toleratedMs) {
      this.#heldUntil = Math.max(this.#heldUntil, now + holdMs);
      this.#least = ahead;
      this.#leastBefore = ahead;
      this.#since = now;
      onStep?.(stepMs, holdMs);
    }
    return Math.max(0, this.#heldUntil - now);
  }
}
