import type { DispatchContext } from "#jobs/dispatch-context.ts";
import { enqueueBatches } from "#jobs/enqueue-batches.ts";
import { LaneConcurrency } from "#jobs/lane-concurrency.ts";
import { repairFlows } from "#jobs/repair-flows.ts";
import { settleExpiredPermits } from "#jobs/settle-permits.ts";
import type { Run } from "#model/run.ts";

export interface RoundOptions {
  /** How often lost flows and expired permits are looked for. */
  readonly repairEveryMs: number;
  readonly laneConcurrency: () => ReadonlyMap<string, number>;
  readonly onRunEnded: (run: Run) => void;
}

/** One look at everything: repairs what was lost, fills the lanes, ends the runs that are done. */
export class DispatchRound {
  readonly #context: DispatchContext;
  readonly #options: RoundOptions;
  readonly #concurrency: LaneConcurrency;
  #repairedAt = -Infinity;
  #busy = true;

  constructor(context: DispatchContext, options: RoundOptions) {
    this.#context = context;
    this.#options = options;
    this.#concurrency = new LaneConcurrency(context.store);
  }

  /** Whether a run has not ended, so that it is worth looking again soon. */
  get busy(): boolean {
    return this.#busy;
  }

  /** The next round looks for lost flows, whenever the last one did. */
  suspect(): void {
    this.#repairedAt = -Infinity;
  }

  async run(): Promise<void> {
    const { index, store, admission, now } = this.#context;
    const runs = await index.runs();
    this.#busy = runs.some((run) => run.endedAt === undefined);
    if (performance.now() - this.#repairedAt >= this.#options.repairEveryMs) {
      this.#repairedAt = performance.now();
      // A queue store that was lost forgot its settings too.
      this.#concurrency.forget();
      await repairFlows(runs, this.#context);
      await settleExpiredPermits(this.#context);
    }
    await this.#concurrency.apply(this.#options.laneConcurrency());
    await admission.refresh(now());
    await enqueueBatches(runs, this.#context);
    for (const run of await index.finishRuns(now())) {
      store.tracing.runEnded(run);
      this.#options.onRunEnded(run);
    }
  }
}
