import type { Driver } from "#model/driver.ts";
import type { IndexStore } from "#model/index-store.ts";
import type { Batch, StepData } from "#model/run.ts";
import type { Admission } from "#jobs/admission.ts";
import type { LaneTurns } from "#jobs/lane-turns.ts";
import type { QueueStore } from "#jobs/queue-store.ts";
import { segmentCid } from "#jobs/segment.ts";
import type { CommitPort } from "#jobs/step-context.ts";
import type { WaitBoard } from "#jobs/wait-board.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { Wait } from "#model/wait.ts";

/** What the parts of the dispatcher work with. */
export interface DispatchContext {
  readonly store: QueueStore;
  readonly index: DispatchIndex;
  readonly drivers: ReadonlyMap<string, Driver>;
  readonly commit: CommitPort;
  readonly queuedPerLaneMax: number;
  readonly clockSkewMs: number;
  /** So long permits may be in use that have run out by this clock, or that nobody here knows. */
  readonly permitsHeldMs: () => number;
  readonly admission: Admission;
  readonly waits: WaitBoard;
  readonly turns: LaneTurns;
  /** Why a full lane does not go faster, when there is more to say than that it is full. */
  readonly laneWait: (lane: string) => Wait | undefined;
  /** Since when (monotonic milliseconds) a batch to be ended has no job any more. */
  readonly freeSince: Map<string, number>;
  readonly now: () => Date;
  readonly onError: (error: EngineError) => void;
}

/** What the dispatcher needs of the index. */
export type DispatchIndex = Pick<
  IndexStore,
  | "runs"
  | "workGroups"
  | "pendingBatches"
  | "markQueued"
  | "queuedBatches"
  | "requeue"
  | "segments"
  | "commitCopies"
  | "commitRemovals"
  | "recordEvidence"
  | "expiredPermits"
  | "settlePermit"
  | "finishRuns"
>;

/** What the jobs of batches of one plan carry; reads the segments to name them by their CIDs. */
export async function stepsDataOf(
  batches: readonly Batch[],
  index: DispatchIndex,
): Promise<readonly StepData[]> {
  const [first] = batches;
  if (first === undefined) return [];
  const segments = await index.segments(first.planCid, batches);
  return batches.map((batch, at) => dataOf(batch, segments[at] ?? new Uint8Array()));
}

/** The same of one batch. */
export async function stepDataOf(batch: Batch, index: DispatchIndex): Promise<StepData> {
  const [segment = new Uint8Array()] = await index.segments(batch.planCid, [batch]);
  return dataOf(batch, segment);
}

function dataOf(batch: Batch, segment: Uint8Array): StepData {
  const {
    number,
    state: _state,
    actions: _actions,
    bytes: _bytes,
    cancelReason: _why,
    ...names
  } = batch;
  return { ...names, batch: number, segmentCid: segmentCid(segment) };
}
