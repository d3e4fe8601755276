import type { EngineApi } from "#model/engine-api.ts";
import type { Run } from "#model/run.ts";
import type { Clock } from "#cli/command-io.ts";

/** Without any progress for this long, the person who watches is told why. */
const stalledAfterMs = 5_000;

/** Notices that a run makes no progress and finds out what it waits for. */
export class StallWatch {
  readonly #api: EngineApi;
  readonly #clock: Clock;
  #mark = -1;
  #since = 0;
  #isSaid = false;

  constructor(api: EngineApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** Why the run stands still, once for each standstill; undefined while it moves. */
  async reason(run: Run): Promise<string | undefined> {
    const { remaining, bytesDone } = run.progress;
    const mark = remaining + bytesDone;
    const now = this.#clock.monotonicMs();
    if (mark !== this.#mark || run.state !== "running") {
      [this.#mark, this.#since, this.#isSaid] = [mark, now, false];
      return undefined;
    }
    if (this.#isSaid || now - this.#since < stalledAfterMs) return undefined;
    this.#isSaid = true;
    // Being unable to say why must not end the watching.
    return this.#findReason(run.id).catch(() => undefined);
  }

  async #findReason(id: string): Promise<string | undefined> {
    const { waiting } = await this.#api.why(id);
    const words = waiting.map(({ wait: { message, remedy } }) =>
      remedy === undefined ? message : `${message}; to end it: ${remedy}`,
    );
    return words.length === 0 ? undefined : `waiting: ${[...new Set(words)].join("; ")}`;
  }
}
