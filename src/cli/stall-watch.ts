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
    return this.#findReason().catch(() => undefined);
  }

  async #findReason(): Promise<string | undefined> {
    const nodes = await this.#api.nodes();
    if (!nodes.some((node) => node.up && node.roles.includes("worker"))) {
      return "waiting: no worker is up; start one with `thermocline worker`";
    }
    const backends = await this.#api.backends();
    const words = backends.flatMap(({ name, status }) =>
      typeof status === "string" ? [`${name} does not answer (${status})`] : [],
    );
    return words.length === 0 ? undefined : `waiting: ${words.join("; ")}`;
  }
}
