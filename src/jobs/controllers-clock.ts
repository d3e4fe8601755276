import { EngineError } from "#model/engine-error.ts";

/** Two clocks that fail in different ways: what either says has passed, has passed. */
export interface ElapsedClocks {
  /** Never set by anybody; may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Goes on while the machine sleeps; may be set. */
  wallMs(): number;
}

/** When a question was sent, by both clocks of the one who asks. */
export interface Asked {
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** Not later than that by the clock of the queue's server, where it said so. */
  readonly queueMs?: number | undefined;
}

/**
 * The clock of the controller as a worker knows it from answers that bear their time. Permits are
 * issued and settled by that clock, so they are used by it too: a worker whose own clock is wrong
 * neither uses them for too long nor finds them all expired.
 */
export class ControllersClock {
  readonly #clocks: ElapsedClocks;
  #heard: { readonly at: number; readonly asked: Asked } | undefined;
  #aheadMs: number | undefined;

  constructor(clocks: Partial<ElapsedClocks> = {}) {
    const { monotonicMs = () => performance.now(), wallMs = () => Date.now() } = clocks;
    this.#clocks = { monotonicMs, wallMs };
  }

  /** To be taken before the question is sent, and after the queue's server told its time. */
  asking(queueMs?: number): Asked {
    return { monotonicMs: this.#clocks.monotonicMs(), wallMs: this.#clocks.wallMs(), queueMs };
  }

  /** Hears an answer with the controller's time (ISO 8601 UTC) of a moment since it was asked. */
  hear(at: string, asked: Asked): void {
    const there = Date.parse(at);
    if (!Number.isFinite(there)) return;
    this.#heard = { at: there, asked };
    const roundTripMs = Math.max(0, this.#clocks.monotonicMs() - asked.monotonicMs);
    // The answer was made somewhere in between: what is certain is the difference beyond that.
    const ahead = asked.wallMs + roundTripMs / 2 - there;
    const certainMs = Math.max(0, Math.abs(ahead) - roundTripMs / 2);
    this.#aheadMs = Math.round(Math.sign(ahead) * certainMs);
  }

  /**
   * The latest it may be by the clock of the controller. Both clocks of a virtual machine that its
   * host held still say that nothing has passed; the time that the queue's server just told
   * (`queueMs`) says what has.
   *
   * @throws EngineError UNAVAILABLE until an answer came: the clock of this machine may be wrong
   */
  latest(queueMs?: number): Date {
    const { monotonicMs, wallMs } = this.asking();
    if (this.#heard === undefined) throw unheard();
    const { at, asked } = this.#heard;
    const there = (queueMs ?? 0) - (asked.queueMs ?? queueMs ?? 0);
    const elapsedMs = Math.max(0, monotonicMs - asked.monotonicMs, wallMs - asked.wallMs, there);
    return new Date(at + elapsedMs);
  }

  /**
   * How far the clock of this machine is ahead of the controller's at least, in milliseconds;
   * negative where it is behind, 0 where the difference may be the way of the answer.
   */
  get aheadMs(): number | undefined {
    return this.#aheadMs;
  }
}

/** The job of the removal steps aside; no attempt is counted, and nothing failed. */
function unheard(): EngineError {
  const message = "the controller has not said yet what time it is: no permit is used before";
  const hint = "nothing to do: removals begin with the first answer to a heartbeat";
  const details = { wait: "dependency" };
  return new EngineError("UNAVAILABLE", message, { retryAfterMs: 2_000, hint, details });
}
