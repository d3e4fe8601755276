import { tableFromArrays, tableToIPC, vectorFromArray, Binary, Table, Utf8 } from "apache-arrow";
import { cidToBytes } from "#content/cid.ts";
import type { DispatchIndex } from "#jobs/dispatch-context.ts";
import { laneOf } from "#jobs/lanes.ts";
import type { Evidence, ObjectRef } from "#model/copy.ts";
import type { CommitContext } from "#model/index-store.ts";
import type { PermitRefusal, RemovalPermit } from "#model/removal.ts";
import type {
  ActionEnd,
  Batch,
  CommitResult,
  CopyOutcome,
  RemoveOutcome,
  Run,
  RunControl,
  RunState,
  StepData,
} from "#model/run.ts";
import { controlOf } from "#jobs/step-controls.ts";

type BatchPlan = Pick<Batch, "verb" | "source" | "target" | "victim"> & {
  readonly objects: readonly ObjectRef[];
};

type Ended = ActionEnd | { readonly outcome: "done"; readonly by: CopyOutcome | RemoveOutcome };

interface Issued {
  readonly runId: string;
  readonly permit: RemovalPermit & { readonly sequence: number };
}

/**
 * The part of the index that the queue talks to, in memory: a model of the single writer small
 * enough to be read, so that the queue's tests fail for the queue's reasons only.
 */
export class MemoryIndex implements DispatchIndex {
  readonly copies = new Map<string, Map<string, string | undefined>>();
  readonly outcomes = new Map<string, Ended>();
  readonly refusals: PermitRefusal[] = [];
  readonly findings: Evidence[] = [];
  readonly settled: Evidence[] = [];
  /** Names of the commits in the order in which they came. */
  readonly commits: string[] = [];
  /** Outcomes that came although there was one: must stay empty. */
  readonly doubled: string[] = [];
  readonly #objects = new Map<string, readonly ObjectRef[]>();
  readonly #batches = new Map<string, Batch[]>();
  readonly #states = new Map<string, RunState>();
  readonly #issued = new Map<string, Issued>();
  readonly #priorities = new Map<string, number>();
  #permits = 0;

  hold(object: ObjectRef, backend: string, verifiedAt?: string): void {
    const held = this.copies.get(object.cid) ?? new Map<string, string | undefined>();
    held.set(backend, verifiedAt);
    this.copies.set(object.cid, held);
  }

  begin(runId: string, plans: readonly BatchPlan[], priority = 0): void {
    this.#priorities.set(runId, priority);
    const batches: Batch[] = [];
    const objects: ObjectRef[] = [];
    for (const { objects: those, ...plan } of plans) {
      const from = objects.length;
      objects.push(...those);
      const bytes = those.reduce((sum, object) => sum + object.size, 0);
      const place = { number: batches.length, from, to: objects.length, actions: those.length };
      const fresh = { policy: "test", state: "pending", attempt: 0, bytes } as const;
      batches.push({ runId, planCid: `plan-${runId}`, ...plan, ...place, ...fresh });
    }
    this.#batches.set(runId, batches);
    this.#objects.set(`plan-${runId}`, objects);
    this.#states.set(runId, "running");
  }

  control(runId: string): RunControl {
    return controlOf(this.#states.get(runId) ?? "running");
  }

  setState(runId: string, state: "running" | "paused" | "cancelled"): void {
    this.#states.set(runId, state);
    if (state !== "cancelled") return;
    for (const batch of this.#of(runId).filter((candidate) => candidate.state === "pending")) {
      for (let at = batch.from; at < batch.to; at += 1) {
        this.#end(runId, at, { outcome: "cancelled", reason: "the run was cancelled" });
      }
      this.#put({ ...batch, state: "done" });
    }
  }

  async runs(): Promise<readonly Run[]> {
    return [...this.#states].map(([id, state]) => this.#run(id, state));
  }

  async workGroups(runId: string) {
    const open = this.#of(runId).filter((batch) => batch.state !== "done");
    const names = [...new Set(open.map((batch) => laneOf(batch)))];
    const count = (lane: string, state: string) =>
      open.filter((batch) => laneOf(batch) === lane && batch.state === state).length;
    return names.map((lane) => ({
      runId,
      key: lane,
      lane,
      policy: "test",
      verb: "replicate" as const,
      source: null,
      target: null,
      victim: null,
      pending: count(lane, "pending"),
      blocked: 0,
      queued: count(lane, "queued"),
    }));
  }

  async pendingBatches(runId: string, lane: string, limit: number): Promise<readonly Batch[]> {
    return this.#of(runId)
      .filter((batch) => batch.state === "pending" && laneOf(batch) === lane)
      .slice(0, limit);
  }

  async queuedBatches(runId: string, after: number, limit: number): Promise<readonly Batch[]> {
    return this.#of(runId)
      .filter((batch) => batch.state === "queued" && batch.number > after)
      .slice(0, limit);
  }

  async markQueued(runId: string, numbers: readonly number[]): Promise<void> {
    for (const batch of this.#of(runId)) {
      if (numbers.includes(batch.number)) this.#put({ ...batch, state: "queued" });
    }
  }

  async requeue(runId: string, numbers?: readonly number[]): Promise<number> {
    const queued = this.#of(runId).filter((batch) => batch.state === "queued");
    const lost = queued.filter((batch) => numbers?.includes(batch.number) ?? true);
    for (const batch of lost) {
      this.#put({ ...batch, state: "pending", attempt: batch.attempt + 1 });
    }
    return lost.length;
  }

  async segments(
    planCid: string,
    ranges: readonly { readonly from: number; readonly to: number }[],
  ): Promise<readonly Uint8Array[]> {
    return await Promise.all(ranges.map(({ from, to }) => this.segment(planCid, from, to)));
  }

  async segment(planCid: string, from: number, to: number): Promise<Uint8Array> {
    const objects = (this.#objects.get(planCid) ?? []).slice(from, to);
    const plain = tableFromArrays({
      sequence: objects.map((_, at) => from + at),
      object_id: objects.map((_, at) => from + at),
      size: objects.map((object) => object.size),
    });
    // Types are given: inferred dictionaries are numbered anew each time, the bytes would differ.
    const texts = new Table({
      cid: vectorFromArray(
        objects.map((object) => cidToBytes(object.cid)),
        new Binary(),
      ),
      profile: vectorFromArray(
        objects.map((object) => object.profile),
        new Utf8(),
      ),
    });
    return tableToIPC(plain.assign(texts), "stream");
  }

  async commitCopies(
    step: StepData,
    outcomes: readonly CopyOutcome[],
    context: CommitContext,
  ): Promise<CommitResult> {
    this.commits.push(`copies ${step.batch}`);
    const permits: CommitResult["permits"][number][] = [];
    const ended = new Map(outcomes.map((outcome) => [outcome.sequence, outcome]));
    for (let sequence = step.from; sequence < step.to; sequence += 1) {
      const object = this.#object(step, sequence);
      const outcome = ended.get(sequence);
      if (outcome !== undefined && outcome.outcome !== "done") {
        this.#end(step.runId, sequence, outcome);
        continue;
      }
      if (outcome !== undefined) {
        this.hold(object, outcome.evidence.backend, outcome.evidence.checkedAt);
        if (step.victim === null) {
          this.#end(step.runId, sequence, { outcome: "done", by: outcome });
          continue;
        }
      }
      const permit = this.#permit(step, sequence, object, context);
      if (permit !== undefined) permits.push(permit);
    }
    if (permits.length === 0) this.#done(step);
    return { permits, refusals: [] };
  }

  async commitRemovals(step: StepData, outcomes: readonly RemoveOutcome[]): Promise<void> {
    this.commits.push(`removals ${step.batch}`);
    for (const outcome of outcomes) {
      const key = `${step.runId}/${outcome.sequence}`;
      if (!this.#issued.delete(key)) continue;
      if (outcome.outcome === "done") {
        this.copies.get(this.#object(step, outcome.sequence).cid)?.delete(step.victim ?? "");
        this.#end(step.runId, outcome.sequence, { outcome: "done", by: outcome });
      } else if (outcome.outcome !== "expired") this.#end(step.runId, outcome.sequence, outcome);
    }
    if (!outcomes.some(({ outcome }) => outcome === "expired")) this.#done(step);
  }

  async recordEvidence(evidence: readonly Evidence[]): Promise<void> {
    this.findings.push(...evidence);
    for (const found of evidence) {
      if (found.finding !== "present") this.copies.get(found.cid)?.delete(found.backend);
    }
  }

  async expiredPermits(now: Date): Promise<readonly RemovalPermit[]> {
    return [...this.#issued.values()]
      .map(({ permit }) => permit)
      .filter((permit) => permit.expiresAt <= now.toISOString());
  }

  async settlePermit(permitId: string, evidence: Evidence): Promise<void> {
    this.settled.push(evidence);
    const found = [...this.#issued].find(([, issued]) => issued.permit.id === permitId);
    if (found === undefined) return;
    const [key, { runId, permit }] = found;
    this.#issued.delete(key);
    if (evidence.finding === "absent") this.copies.get(permit.cid)?.delete(permit.backend);
    this.#end(runId, permit.sequence, { outcome: "skipped", reason: "settled" });
  }

  async finishRuns(): Promise<readonly Run[]> {
    const ended: Run[] = [];
    for (const [id, state] of this.#states) {
      if (state !== "running" || this.#of(id).some((batch) => batch.state !== "done")) continue;
      const failed = this.#run(id, state).progress.failed > 0;
      this.#states.set(id, failed ? "partial" : "completed");
      ended.push(this.#run(id, failed ? "partial" : "completed"));
    }
    return ended;
  }

  #permit(
    step: StepData,
    sequence: number,
    object: ObjectRef,
    context: CommitContext,
  ): CommitResult["permits"][number] | undefined {
    const key = `${step.runId}/${sequence}`;
    const known = this.#issued.get(key);
    if (known !== undefined) return known.permit;
    if (this.outcomes.has(key)) return undefined;
    const backend = step.victim ?? "";
    const held = this.copies.get(object.cid) ?? new Map<string, string | undefined>();
    const others = [...this.#issued.values()].filter(({ permit }) => permit.cid === object.cid);
    const leaving = new Set([backend, ...others.map(({ permit }) => permit.backend)]);
    const reserved = [...held].filter(([name]) => !leaving.has(name));
    const needed = others.some(({ permit }) => permit.reserved.some((r) => r.backend === backend));
    if (!held.has(backend) || needed || reserved.length < context.minimumCopies) {
      const facts = { objectId: sequence, cid: object.cid, backend, message: "" };
      this.refusals.push({ ...facts, reason: needed ? "reserved" : "below-minimum" });
      this.#end(step.runId, sequence, { outcome: "skipped", reason: "below-minimum" });
      return undefined;
    }
    const permit = {
      ...object,
      id: `permit-${(this.#permits += 1)}`,
      sequence,
      objectId: sequence,
      backend,
      reserved: reserved.map(([name, verifiedAt]) => ({
        backend: name,
        confidence: "verified" as const,
        verifiedAt,
        stored: { form: "file" as const, bytes: object.size },
      })),
      authority: "surplus" as const,
      issuedAt: context.now.toISOString(),
      expiresAt: new Date(context.now.getTime() + context.permitTtlMs).toISOString(),
    };
    this.#issued.set(key, { runId: step.runId, permit });
    return permit;
  }

  #run(id: string, state: RunState): Run {
    const batches = this.#of(id);
    const all = batches.reduce((sum, batch) => sum + batch.actions, 0);
    const ends = [...this.outcomes].filter(([key]) => key.startsWith(`${id}/`));
    const count = (outcome: string) => ends.filter(([, end]) => end.outcome === outcome).length;
    const progress = {
      actions: all,
      done: count("done"),
      skipped: count("skipped"),
      failed: count("failed"),
      cancelled: count("cancelled"),
      remaining: all - ends.length,
      bytes: 0,
      bytesDone: 0,
      causes: [],
    };
    const origin = { priority: this.#priorities.get(id) ?? 0, origin: "apply" };
    const times = { createdAt: "2026-01-01T00:00:00Z", endedAt: undefined };
    return { id, planCid: `plan-${id}`, state, ...origin, ...times, progress };
  }

  #end(runId: string, sequence: number, end: Ended): void {
    const key = `${runId}/${sequence}`;
    const before = this.outcomes.get(key);
    if (before === undefined) this.outcomes.set(key, end);
    else if (before.outcome !== end.outcome) this.doubled.push(key);
  }

  #done(step: StepData): void {
    const batch = this.#of(step.runId)[step.batch];
    if (batch !== undefined) this.#put({ ...batch, state: "done" });
  }

  #put(batch: Batch): void {
    this.#of(batch.runId)[batch.number] = batch;
  }

  #of(runId: string): Batch[] {
    return this.#batches.get(runId) ?? [];
  }

  #object(step: StepData, sequence: number): ObjectRef {
    const object = this.#objects.get(step.planCid)?.[sequence];
    if (object === undefined) throw new Error(`no action ${sequence}`);
    return object;
  }
}
