import type { EngineApi } from "#model/engine-api.ts";
import type { RunControl, RunState } from "#model/run.ts";

/** Active steps learn of a pause or cancel within about this long. */
const pollEveryMs = 1_000;

type Listener = (control: RunControl) => void;

/** What workers are told about a run in this state. */
export function controlOf(state: RunState): RunControl {
  if (state === "paused") return "pause";
  return state === "cancelled" ? "cancel" : "run";
}

/**
 * Asks the controller about the runs of active steps. While the controller is away the last
 * answer holds: work goes on, and its results wait in the queue.
 */
export class RunControls {
  readonly #api: Pick<EngineApi, "runControls">;
  readonly #known = new Map<string, RunControl>();
  readonly #watches = new Map<string, Set<Listener>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(api: Pick<EngineApi, "runControls">) {
    this.#api = api;
  }

  /** Calls back now or later when the run is paused or cancelled, until it is released. */
  async watch(runId: string, listener: Listener): Promise<() => void> {
    const listeners = this.#watches.get(runId) ?? new Set();
    listeners.add(listener);
    this.#watches.set(runId, listeners);
    if (this.#known.has(runId)) this.#tell(runId, [listener]);
    else await this.#ask([runId]);
    this.#timer ??= setInterval(() => void this.#ask([...this.#watches.keys()]), pollEveryMs);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      this.#watches.delete(runId);
      this.#known.delete(runId);
      if (this.#watches.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #ask(runIds: readonly string[]): Promise<void> {
    const controls = await this.#api.runControls(runIds).catch(() => ({}));
    for (const [runId, control] of Object.entries<RunControl>(controls)) {
      const listeners = this.#watches.get(runId);
      if (listeners === undefined) continue;
      this.#known.set(runId, control);
      this.#tell(runId, [...listeners]);
    }
  }

  #tell(runId: string, listeners: readonly Listener[]): void {
    const control = this.#known.get(runId) ?? "run";
    if (control !== "run") for (const listener of listeners) listener(control);
  }
}
