import type { EngineApi } from "#model/engine-api.ts";
import type { Run } from "#model/run.ts";
import type { Clock } from "#cli/command-io.ts";
import { waitingWords } from "#cli/output/format-why.ts";

/** Without any progress for this long, the person who watches is told why. */
const stalledAfterMs = 5_000;

/** While large objects are on their way, who watches is told this often how far they are. */
const askAgainMs = 3_000;

/** What a run does of which its counts of finished actions tell nothing. */
export interface Standstill {
  /** What it waits for; told when it begins, and when it becomes something else. */
  readonly reason: string | undefined;
  /** Bytes that workers have moved for batches that are not recorded yet. */
  readonly moving: number;
}

/** Notices that a run finishes no action and finds out what it waits for or moves. */
export class StallWatch {
  readonly #api: EngineApi;
  readonly #clock: Clock;
  #mark = -1;
  #since = 0;
  #said = "";
  #askedAt = 0;
  #moving = 0;

  constructor(api: EngineApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Asked at each look at the run. */
  async look(run: Run): Promise<Standstill> {
    const { remaining, bytesDone } = run.progress;
    const mark = remaining + bytesDone;
    const now = this.#clock.monotonicMs();
    if (mark !== this.#mark || run.state !== "running") {
      [this.#mark, this.#since, this.#said, this.#moving] = [mark, now, "", 0];
    } else if (now - this.#since >= stalledAfterMs && now - this.#askedAt >= askAgainMs) {
      this.#askedAt = now;
      // Being unable to say why must not end the watching.
      const reason = await this.#ask(run.id).catch(() => undefined);
      return { reason, moving: this.#moving };
    }
    return { reason: undefined, moving: this.#moving };
  }

  async #ask(id: string): Promise<string | undefined> {
    const { waiting, active } = await this.#api.why(id);
    this.#moving = active.reduce((sum, { bytes }) => sum + bytes, 0);
    // Messages hold numbers that change from look to look; reasons do not.
    const reasons = [...new Set(waiting.map(({ wait }) => wait.reason))].toSorted().join(" ");
    if (waiting.length === 0 || this.#said === reasons) return undefined;
    this.#said = reasons;
    return `waiting: ${waitingWords(waiting).join("; ")}`;
  }
}
