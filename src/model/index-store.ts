import type { Backend } from "#model/backend.ts";
import type { Confidence, CopyState, Evidence, StoredCopy, Tier } from "#model/copy.ts";
import type { DriverCapabilities, ListedCopy } from "#model/driver.ts";
import type { PriceCard } from "#model/backend.ts";
import type { Plan } from "#model/plan.ts";
import type { AskPolicies } from "#model/policy-word.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type {
  ActOutcome,
  Batch,
  CommitResult,
  CopyOutcome,
  RemoveOutcome,
  Run,
  RunStart,
  StepData,
} from "#model/run.ts";
import type { Work } from "#model/wait.ts";
import type { ReadSession } from "#model/sql.ts";

/**
 * The object index: one DuckDB database, opened and written only by the controller. All writes
 * are serialised inside; every write is one transaction that also maintains the summaries on
 * the object rows and bumps `version()`. Times that are stored come in as arguments.
 *
 * What policies read are the views of `src/model/index-views.ts`.
 */
export interface IndexStore {
  /** Counts commits: equal versions mean equal content. */
  version(): Promise<number>;
  session(): Promise<ReadSession>;
  heat(): Promise<HeatSettings>;
  close(): Promise<void>;

  /** Makes the stored inventory equal to the configured one; ids stay with their names. */
  syncBackends(backends: readonly BackendFacts[]): Promise<readonly Backend[]>;
  /** With what was known of them at a time; now unless it is named. */
  backends(at?: Date): Promise<readonly Backend[]>;
  setCordon(backend: string, cordoned: boolean): Promise<void>;

  /** Adds objects, names, tags and copies; what is known already is merged, never doubled. */
  putObjects(objects: readonly NewObject[], now: Date): Promise<PutSummary>;
  /** Counts reads into heat and daily windows. A batch id that was seen before changes nothing. */
  recordAccesses(batchId: string, accesses: readonly Access[]): Promise<AccessSummary>;
  /** Compares what a backend lists with what the index believes, and corrects the index. */
  reconcile(backend: string, listed: AsyncIterable<ListedCopy>, now: Date): Promise<DriftReport>;
  /** Records the finding of a check (verify, scrub, settlement). */
  recordEvidence(evidence: readonly Evidence[], now: Date): Promise<void>;
  hold(objectIds: readonly number[], reason: string, now: Date): Promise<void>;
  release(objectIds: readonly number[], now: Date): Promise<void>;

  /** Stores the plan, cuts it into batches, starts a run. A running run of it is returned as is. */
  beginRun(plan: Plan, now: Date, start?: RunStart): Promise<Run>;
  run(id: string): Promise<Run | undefined>;
  runs(): Promise<readonly Run[]>;
  /** `cancelled` also ends the actions of pending batches; queued ones end by their commits. */
  setRunState(id: string, state: "running" | "paused" | "cancelled", now: Date): Promise<Run>;
  /**
   * Batches to enqueue next for one lane (first backend that acts), in plan order, without
   * those of the held groups (`WorkGroup.key`) and those that other batches must precede.
   */
  pendingBatches(
    runId: string,
    lane: string,
    limit: number,
    held?: readonly string[],
  ): Promise<readonly Batch[]>;
  /**
   * Pending and queued batches of a run, by what they have in common. Batches on which no
   * backend acts (tombstones) are on the lane "index".
   */
  workGroups(runId: string): Promise<readonly WorkGroup[]>;
  markQueued(runId: string, numbers: readonly number[]): Promise<void>;
  /** Queued batches with a number above `after`, by number: to see whether their flows live. */
  queuedBatches(runId: string, after: number, limit: number): Promise<readonly Batch[]>;
  /**
   * After flows were lost: queued batches (all, or those numbered) become pending under a new
   * attempt. Says how many.
   */
  requeue(runId: string, numbers?: readonly number[]): Promise<number>;
  /** Arrow IPC stream bytes of a range of a plan's actions, the same bytes every time. */
  segment(planCid: string, from: number, to: number): Promise<Uint8Array>;
  /** Such bytes of several ranges of one plan, for little more than one of them costs. */
  segments(
    planCid: string,
    ranges: readonly { readonly from: number; readonly to: number }[],
  ): Promise<readonly Uint8Array[]>;

  /**
   * Records a copy step or an act step (or, for batches without one, admits the batch) and issues
   * the permits for its remove step. Called twice with the same step it changes nothing and answers alike.
   * `askPolicies` says what policies say right now of the given objects.
   */
  commitCopies(
    step: StepData,
    outcomes: readonly (CopyOutcome | ActOutcome)[],
    context: CommitContext,
  ): Promise<CommitResult>;
  /** Records a remove step: copies gone, proofs, outcomes; ends the reservations. */
  commitRemovals(step: StepData, outcomes: readonly RemoveOutcome[], now: Date): Promise<void>;
  /** Permits that ran out with an unknown outcome; settle each by asking its backend. */
  expiredPermits(now: Date): Promise<readonly RemovalPermit[]>;
  settlePermit(permitId: string, evidence: Evidence, now: Date): Promise<void>;
  /** Ends runs that have nothing left: completed, partial or failed. */
  finishRuns(now: Date): Promise<readonly Run[]>;
}

export interface CommitContext {
  readonly now: Date;
  readonly permitTtlMs: number;
  /** How far clocks of nodes may differ; default `defaultClockSkewMs`. */
  readonly clockSkewMs?: number;
  /** Fewest verified copies any object keeps (global floor, at least 1). */
  readonly minimumCopies: number;
  /** Backends that do not answer now: a removal that would rest on a copy there waits. */
  readonly unreachable?: ReadonlySet<string>;
  readonly askPolicies: AskPolicies;
  /** The epoch of the controller that answers, and so vouches for the permits. */
  readonly epoch?: number;
  /** No permit is issued before this: controllers before this one may have issued others. */
  readonly permitsFrom?: Date;
}

export interface BackendFacts {
  readonly name: string;
  readonly driver: string;
  readonly tier: Tier;
  readonly region: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacityBytes: number | undefined;
  readonly price: PriceCard;
  readonly capabilities: DriverCapabilities;
}

export interface NewObject {
  readonly cid: string;
  readonly size: number;
  readonly profile: string;
  /** Names (paths) it is known under, `/`-separated, absolute within the collection. */
  readonly names: readonly string[];
  readonly type: string | undefined;
  readonly collection: string | undefined;
  readonly owner: string | undefined;
  readonly tags: readonly string[];
  readonly created: Date | undefined;
  readonly modified: Date | undefined;
  readonly copies: readonly NewCopy[];
}

export interface NewCopy {
  readonly backend: string;
  readonly copy: StoredCopy;
  readonly state: CopyState;
  readonly confidence: Confidence;
  readonly checkedAt: Date;
}

export interface PutSummary {
  readonly added: number;
  readonly known: number;
  readonly copies: number;
  /** What was left out, since a deletion may still take its copy. */
  readonly beingDeleted: readonly BeingDeleted[];
}

/** Content that may not be relied on at a backend: a permit to delete it there is in use. */
export interface BeingDeleted {
  readonly cid: string;
  readonly backend: string;
  readonly permitId: string;
  /** When no call that rests on the permit can be under way any more. */
  readonly until: Date;
}

/** One read of an object, named by CID or by a known path. */
export interface Access {
  readonly object: string;
  readonly at: Date;
  /** 1 for a whole read; bytes/size for a range; 0 for probes. */
  readonly weight: number;
  /** Bytes that were read: the weight counts by their share of the object's size, at most 1. */
  readonly bytes?: number;
}

export interface AccessCounts {
  readonly applied: number;
  readonly unknown: number;
}

export interface AccessSummary extends AccessCounts {
  /** True when this batch id had been recorded before. */
  readonly repeated: boolean;
}

export interface DriftReport {
  readonly backend: string;
  readonly listed: number;
  readonly confirmed: number;
  readonly lost: number;
  readonly unexpected: number;
  readonly changed: number;
}

/** Batches of a run that act alike for the same policy, on one lane. */
export interface WorkGroup extends Omit<Work, "node"> {
  readonly key: string;
  readonly pending: number;
  /** Those of the pending ones that wait for other batches about the same objects. */
  readonly blocked: number;
  readonly queued: number;
}

export interface HeatSettings {
  /** Weights are stored relative to this moment (forward decay). */
  readonly landmark: Date;
  readonly halfLifeMs: number;
}
