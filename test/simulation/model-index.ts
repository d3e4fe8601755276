import type { RemovalCase } from "#index/runs/judge-removal.ts";
import type { SameBackends } from "#index/same-storages.ts";
import { encodeSegment } from "#index/runs/segment.ts";
import { cidToBytes } from "#content/cid.ts";
import type { Evidence } from "#model/copy.ts";
import type { ListedCopy } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CommitContext, DriftReport, NewObject, PutSummary } from "#model/index-store.ts";
import type {
  Batch,
  CommitResult,
  ActOutcome,
  CopyOutcome,
  RemoveOutcome,
  Run,
  StepData,
} from "#model/run.ts";
import { commitCopies } from "./model-commit-copies.ts";
import { commitRemovals, settlePermit } from "./model-commit-removals.ts";
import { reconcile, recordEvidence } from "./model-inventory.ts";
import { isOpen, type ModelPermits, publicPermit } from "./model-permits.ts";
import { liftMark, presentCopies, putObjects } from "./model-put-objects.ts";
import { ModelRun } from "./model-run.ts";
import { ModelState } from "./model-state.ts";
import { planHead } from "./real-index.ts";
import type { IndexFacts, Marked, SimulatedIndex, WantedAction } from "./simulated-index.ts";

/**
 * A model of the index that is fast enough for thousands of schedules: plain maps in place of
 * tables, with the engine's own judge of removals. A test holds it against the real index.
 */
export class ModelIndex implements SimulatedIndex {
  readonly #state: ModelState;

  /** `judged` may change what the judge of removals is told, to show that this is noticed. */
  constructor(
    names: readonly string[],
    judged?: (removal: RemovalCase) => RemovalCase,
    same?: SameBackends,
  ) {
    this.#state = new ModelState(names, judged, same);
  }

  get permits(): ModelPermits {
    return this.#state.permits;
  }

  async putObjects(objects: readonly NewObject[], now: Date): Promise<PutSummary> {
    return putObjects(this.#state, objects, now);
  }

  async read(object: number, now: Date): Promise<void> {
    liftMark(this.#state, object, now.getTime());
  }

  /** Sets a mark for deletion as it was: what a defect does. */
  mark(object: number, since: number | undefined): void {
    this.#state.object(object).tombstoned = since;
  }

  async marked(): Promise<readonly Marked[]> {
    return this.#state.objects.map(({ tombstoned, held }, object) => ({
      object,
      since: tombstoned,
      held,
      copies: presentCopies(this.#state, object),
    }));
  }

  async begin(actions: readonly WantedAction[], now: Date): Promise<Run> {
    const { runs, names, objects } = this.#state;
    const { cid } = planHead(actions, runs.length);
    const id = `run-${runs.length + 1}-${cid.slice(-8)}`;
    const sizes = objects.map(({ size }) => size);
    const run = await ModelRun.begin(id, cid, now.toISOString(), actions, names, sizes);
    runs.push(run);
    return run.seen();
  }

  async run(id: string): Promise<Run | undefined> {
    return this.#state.runs.find((run) => run.id === id)?.seen();
  }

  async runs(): Promise<readonly Run[]> {
    return this.#state.runs.map((run) => run.seen()).toReversed();
  }

  async workGroups(id: string) {
    return this.#state.run(id).groups();
  }

  async pendingBatches(id: string, lane: string, limit: number, held: readonly string[] = []) {
    return this.#state.run(id).pending(lane, held).slice(0, limit);
  }

  async queuedBatches(id: string, after: number, limit: number): Promise<readonly Batch[]> {
    return this.#state
      .run(id)
      .batches.filter(({ state, number }) => state === "queued" && number > after)
      .slice(0, limit);
  }

  async markQueued(id: string, numbers: readonly number[]): Promise<void> {
    this.#state
      .run(id)
      .change((batch) =>
        batch.state === "pending" && numbers.includes(batch.number)
          ? { ...batch, state: "queued" }
          : batch,
      );
  }

  async requeue(id: string, numbers?: readonly number[]): Promise<number> {
    let count = 0;
    const run = this.#state.run(id);
    if (run.state === "cancelled") return 0;
    run.change((batch) => {
      const meant = numbers?.includes(batch.number) ?? true;
      if (batch.state !== "queued" || !meant) return batch;
      count += 1;
      return { ...batch, state: "pending", attempt: batch.attempt + 1 };
    });
    return count;
  }

  async segments(
    planCid: string,
    ranges: readonly { readonly from: number; readonly to: number }[],
  ): Promise<readonly Uint8Array[]> {
    return await Promise.all(ranges.map(({ from, to }) => this.segment(planCid, from, to)));
  }

  async segment(planCid: string, from: number, to: number): Promise<Uint8Array> {
    const run = this.#state.runs.findLast((one) => one.planCid === planCid);
    const actions = run?.actions.slice(from, to) ?? [];
    const objects = actions.map(({ object }) => this.#state.object(object));
    return encodeSegment([
      actions.map(({ sequence }) => sequence),
      actions.map(({ verb }) => verb),
      actions.map(({ object }) => object),
      objects.map(({ cid }) => cidToBytes(cid)),
      objects.map(({ size }) => size),
      objects.map(({ profile }) => profile),
      actions.map(({ source }) => source),
      actions.map(({ target }) => target),
      actions.map(({ victim }) => victim),
      actions.map(() => "simulation/rule"),
      actions.map(() => "by chance"),
      actions.map(({ requirements }) => JSON.stringify(requirements)),
    ]);
  }

  async commitCopies(
    step: StepData,
    outcomes: readonly (CopyOutcome | ActOutcome)[],
    context: CommitContext,
  ): Promise<CommitResult> {
    // Plans of the simulation copy and remove; no rule of theirs has anything else run.
    return commitCopies(this.#state, step, outcomes as readonly CopyOutcome[], context);
  }

  async commitRemovals(
    step: StepData,
    outcomes: readonly RemoveOutcome[],
    now: Date,
  ): Promise<void> {
    commitRemovals(this.#state, step, outcomes, now);
  }

  async recordEvidence(evidence: readonly Evidence[]): Promise<void> {
    recordEvidence(this.#state, evidence);
  }

  async expiredPermits(now: Date) {
    return this.permits
      .all()
      .filter((permit) => isOpen(permit) && Date.parse(permit.expiresAt) <= now.getTime())
      .map((permit) => publicPermit(permit));
  }

  async settlePermit(permitId: string, evidence: Evidence, now: Date): Promise<void> {
    settlePermit(this.#state, permitId, evidence, now);
  }

  async finishRuns(now: Date): Promise<readonly Run[]> {
    const ended = this.#state.runs.filter(
      ({ endedAt, batches }) =>
        endedAt === undefined && batches.every(({ state }) => state === "done"),
    );
    for (const run of ended) run.finish(now);
    return ended.map((run) => run.seen());
  }

  async setRunState(id: string, wanted: "running" | "paused" | "cancelled"): Promise<Run> {
    const run = this.#state.run(id);
    if (run.state === wanted) return run.seen();
    if (run.endedAt !== undefined || run.state === "cancelled") {
      throw new EngineError("CONFLICT", `run ${id} is ${run.state}`, { retryable: false });
    }
    run.state = wanted;
    if (wanted === "cancelled") this.#cancel(run);
    return run.seen();
  }

  async hold(objects: readonly number[]): Promise<void> {
    for (const object of objects.map((id) => this.#state.object(id))) {
      object.held = true;
      object.tombstoned = undefined;
    }
  }

  async release(objects: readonly number[]): Promise<void> {
    for (const object of objects.map((id) => this.#state.object(id))) object.held = false;
  }

  async reconcile(
    name: string,
    listed: AsyncIterable<ListedCopy>,
    now: Date,
  ): Promise<DriftReport> {
    return reconcile(this.#state, name, listed, now);
  }

  async facts(): Promise<IndexFacts> {
    const { objects, copies: all, names, outcomes, issued: permits, proofs } = this.#state;
    const copies = objects.flatMap((_, object) =>
      [...all.of(object)]
        .toSorted(([a], [b]) => a - b)
        .map(([id, { state, confidence }]) => {
          return { object, backend: names[id] ?? "", state, confidence };
        }),
    );
    const ordered = outcomes.toSorted((a, b) =>
      a.run === b.run ? a.sequence - b.sequence : a.run < b.run ? -1 : 1,
    );
    return { copies, outcomes: ordered, permits, proofs, disagreements: [] };
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  /** Ends what no worker was given; the rest ends as its jobs are taken away. */
  #cancel(run: ModelRun): void {
    for (const batch of run.batches.filter(({ state }) => state === "pending")) {
      for (const { sequence } of run.openOf(batch)) {
        if (this.permits.of(run, sequence)) continue;
        this.#state.end(run, sequence, "cancelled", "the run was cancelled");
      }
    }
    run.change((batch) => (batch.state === "pending" ? { ...batch, state: "queued" } : batch));
  }
}
