import type { BlockedCount, Plan, PlanAction } from "#model/plan.ts";
import type { Run } from "#model/run.ts";

/** An order to make again the copies that a run gave up. */
export interface UndoRequest {
  readonly run: string;
  /** Say what would be made again, and start nothing. */
  readonly dryRun?: boolean;
  /** The inverse plan that was shown: another one is refused. */
  readonly expectCid?: string;
  readonly override?: readonly string[];
}

/** What can be undone of a run, and what cannot. */
export interface UndoReport {
  readonly run: string;
  /** Copies that the run removed. */
  readonly removed: { readonly copies: number; readonly bytes: number };
  /** The inverse plan: it makes copies and removes none. */
  readonly plan: Plan;
  /** Its first actions. */
  readonly sample: readonly PlanAction[];
  /** Removed copies that are there again, or on their way. */
  readonly back: number;
  /** Removed copies that cannot be made again now, and why. */
  readonly blocked: readonly BlockedCount[];
  /** Removed copies on backends that are not configured any more. */
  readonly gone: readonly { readonly backend: string; readonly copies: number }[];
  /** Copies that the run made: they stay. */
  readonly made: { readonly copies: number; readonly bytes: number };
  /** Objects that it marked for deletion: a read or a hold lifts the mark. */
  readonly marked: number;
  /** Missing when nothing was started. */
  readonly started: Run | undefined;
}
