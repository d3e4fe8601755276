import { type BatchRange, cutBatches } from "#index/runs/cut-batches.ts";
import type { WorkGroup } from "#model/index-store.ts";
import type { Batch, Run, RunState } from "#model/run.ts";
import type { WantedAction } from "./simulated-index.ts";

export interface ModelAction extends WantedAction {
  readonly sequence: number;
}

export type ModelOutcome = "done" | "skipped" | "failed" | "cancelled";

/** A run as the model index keeps it. */
export class ModelRun {
  state: RunState = "running";
  endedAt: string | undefined;
  readonly id: string;
  readonly planCid: string;
  readonly createdAt: string;
  readonly actions: readonly ModelAction[];
  readonly outcomes = new Map<number, ModelOutcome>();
  batches: Batch[];
  readonly #needs: ReadonlyMap<number, readonly number[]>;

  constructor(
    id: string,
    planCid: string,
    createdAt: string,
    actions: readonly ModelAction[],
    batches: readonly Batch[],
  ) {
    this.id = id;
    this.planCid = planCid;
    this.createdAt = createdAt;
    this.actions = actions;
    this.batches = [...batches];
    this.#needs = needsOf(actions, batches);
  }

  static async begin(
    id: string,
    planCid: string,
    at: string,
    wanted: readonly WantedAction[],
    names: readonly string[],
    sizes: readonly number[],
  ): Promise<ModelRun> {
    const actions = wanted.map((action, sequence) => ({ ...action, sequence }));
    const columns = [
      actions.map(({ sequence }) => sequence),
      actions.map(({ sequence }) => sequence),
      actions.map(({ object }) => sizes[object] ?? 0),
    ];
    async function* rows() {
      yield { rows: actions.length, names: [], columns };
    }
    // Each action brings its own kind; equal ones count as one.
    const kinds = actions.map((action) => ({ ...action, policy: "simulation" }));
    const ranges = await cutBatches(rows(), kinds);
    const name = (backend: number | null) => (backend === null ? null : (names[backend] ?? ""));
    const batches = ranges.map((range: BatchRange, number): Batch => {
      const { verb, source, target, victim, first, past, bytes } = range;
      const places = { source: name(source), target: name(target), victim: name(victim) };
      const extent = { from: first, to: past, actions: past - first };
      const fresh = { state: "pending", attempt: 0, bytes: target === null ? 0 : bytes } as const;
      const what = {
        runId: id,
        planCid,
        number,
        policy: "simulation",
        verb: verb as Batch["verb"],
      };
      return { ...what, ...places, ...extent, ...fresh };
    });
    return new ModelRun(id, planCid, at, actions, batches);
  }

  /** As the rest of the engine sees it. */
  seen(): Run {
    const ends = [...this.outcomes.values()];
    const count = (outcome: ModelOutcome) => ends.filter((end) => end === outcome).length;
    const { id, planCid, state, createdAt, endedAt } = this;
    const progress = {
      actions: this.actions.length,
      done: count("done"),
      skipped: count("skipped"),
      failed: count("failed"),
      cancelled: count("cancelled"),
      remaining: this.actions.length - ends.length,
      bytes: 0,
      bytesDone: 0,
      causes: [],
    };
    return { id, planCid, state, priority: 0, origin: "apply", createdAt, endedAt, progress };
  }

  groups(): readonly WorkGroup[] {
    const groups = new Map<string, WorkGroup>();
    for (const batch of this.batches.filter(({ state }) => state !== "done")) {
      const { verb, source, target, victim, policy, state } = batch;
      const key = keyOf(batch);
      const lane = target ?? victim ?? "index";
      const fresh = { pending: 0, blocked: 0, queued: 0, runId: this.id, key, lane };
      const known = groups.get(key) ?? { ...fresh, policy, verb, source, target, victim };
      const pending = state === "pending";
      groups.set(key, {
        ...known,
        pending: known.pending + Number(pending),
        blocked: known.blocked + Number(pending && this.#waits(batch)),
        queued: known.queued + Number(!pending),
      });
    }
    return [...groups.values()];
  }

  pending(lane: string, held: readonly string[]): readonly Batch[] {
    if (this.state !== "running") return [];
    return this.batches.filter(
      (batch) =>
        batch.state === "pending" &&
        (batch.target ?? batch.victim ?? "index") === lane &&
        !held.includes(keyOf(batch)) &&
        !this.#waits(batch),
    );
  }

  end(sequence: number, outcome: ModelOutcome): void {
    this.outcomes.set(sequence, outcome);
    this.batches = this.batches.map((batch) => {
      const open = this.openOf(batch).length > 0;
      return open ? batch : { ...batch, state: "done" };
    });
  }

  change(change: (batch: Batch) => Batch): void {
    this.batches = this.batches.map((batch) => change(batch));
  }

  /** Ends the run as its actions ended; one that was cancelled stays that. */
  finish(now: Date): void {
    this.endedAt = now.toISOString();
    const { done, skipped, failed, cancelled } = this.seen().progress;
    if (this.state === "cancelled") return;
    if (failed + cancelled === 0) this.state = "completed";
    else this.state = done + skipped === 0 ? "failed" : "partial";
  }

  openOf({ from, to }: { readonly from: number; readonly to: number }): readonly ModelAction[] {
    return this.actions.slice(from, to).filter(({ sequence }) => !this.outcomes.has(sequence));
  }

  #waits({ number }: Batch): boolean {
    const needs = this.#needs.get(number) ?? [];
    return needs.some((other) => this.batches[other]?.state !== "done");
  }
}

const keyOf = ({ policy, verb, source, target, victim }: Batch) =>
  [policy, verb, source ?? "-", target ?? "-", victim ?? "-"].join("/");

/** New copies come first, then moves, then what is only given up, for one object. */
function needsOf(
  actions: readonly ModelAction[],
  batches: readonly Batch[],
): ReadonlyMap<number, readonly number[]> {
  const needs = new Map<number, number[]>();
  for (const late of batches) {
    const objects = new Set(actions.slice(late.from, late.to).map(({ object }) => object));
    const earlier = batches.filter(
      (early) =>
        rankOf(early) < rankOf(late) &&
        actions.slice(early.from, early.to).some(({ object }) => objects.has(object)),
    );
    needs.set(
      late.number,
      earlier.map(({ number }) => number),
    );
  }
  return needs;
}

function rankOf({ target, victim }: Batch): number {
  if (victim === null) return 0;
  return target === null ? 2 : 1;
}
