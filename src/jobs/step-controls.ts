import type { EngineApi } from "#model/engine-api.ts";
import type { RunControl, RunState, StepControl, StepScope } from "#model/run.ts";

/** Active steps learn of a pause or cancel within about this long. */
const pollEveryMs = 1_000;

type Listener = (control: StepControl) => void;

interface Watch {
  readonly scope: StepScope;
  readonly listeners: Set<Listener>;
  known: StepControl | undefined;
}

/** What workers are told about a run in this state. */
export function controlOf(state: RunState): RunControl {
  if (state === "paused") return "pause";
  return state === "cancelled" ? "cancel" : "run";
}

/**
 * Asks the controller about active steps, all in one call. While the controller is away the
 * last answer holds: work goes on, and its results wait in the queue.
 */
export class StepControls {
  readonly #api: Pick<EngineApi, "stepControls">;
  readonly #node: string;
  readonly #watches = new Map<string, Watch>();
  #timer: NodeJS.Timeout | undefined;

  constructor(api: Pick<EngineApi, "stepControls">, node: string) {
    this.#api = api;
    this.#node = node;
  }

  /** Calls back now or later when the step is to be paused or cancelled, until released. */
  async watch(step: Omit<StepScope, "node">, listener: Listener): Promise<() => void> {
    const scope = scopeOf(step, this.#node);
    const key = JSON.stringify(scope);
    const known = this.#watches.get(key);
    const watch = known ?? { scope, listeners: new Set(), known: undefined };
    this.#watches.set(key, watch);
    watch.listeners.add(listener);
    if (watch.known === undefined) await this.#ask([watch]);
    else tell(watch, [listener]);
    this.#timer ??= setInterval(() => void this.#ask([...this.#watches.values()]), pollEveryMs);
    return () => {
      watch.listeners.delete(listener);
      if (watch.listeners.size > 0) return;
      this.#watches.delete(key);
      if (this.#watches.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #ask(watches: readonly Watch[]): Promise<void> {
    const scopes = watches.map(({ scope }) => scope);
    const controls = await this.#api.stepControls(scopes).catch(() => []);
    for (const [position, watch] of watches.entries()) {
      const control = controls[position];
      if (control === undefined) continue;
      watch.known = control;
      tell(watch, [...watch.listeners]);
    }
  }
}

function tell({ known }: Watch, listeners: readonly Listener[]): void {
  if (known === undefined || known.control === "run") return;
  for (const listener of listeners) listener(known);
}

function scopeOf(step: Omit<StepScope, "node">, node: string): StepScope {
  const { runId, policy, verb, source, target, victim } = step;
  return { runId, policy, verb, source, target, victim, node };
}
