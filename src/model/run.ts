import type { Evidence } from "#model/copy.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import type { Verb } from "#model/plan.ts";
import type { PermitRefusal, RemovalPermit, RemovalProof } from "#model/removal.ts";
import type { RunOrder } from "#model/run-order.ts";
import type { ReportedCopy, ReportedEvidence } from "#model/reported-copy.ts";
import type { SamePair } from "#model/same-storage.ts";

export const runStates = [
  "awaiting-approval",
  "running",
  "paused",
  "completed",
  "partial",
  "failed",
  "cancelled",
] as const;
/** `awaiting-approval`: it begins once a person agreed. `partial`: it ended and some objects failed. */
export type RunState = (typeof runStates)[number];

/** One execution of a plan, as the index knows it. Times are ISO 8601 UTC. */
export interface Run {
  readonly id: string;
  readonly planCid: string;
  readonly state: RunState;
  /** Runs of a higher priority are served first. */
  readonly priority: number;
  /** What started it: `apply`, `schedule NAME`, `trigger …`, `repair`. */
  readonly origin: string;
  readonly createdAt: string;
  readonly endedAt: string | undefined;
  readonly progress: RunProgress;
}

/** How a run begins. */
export interface RunStart extends Partial<Pick<Run, "priority" | "origin">> {
  /** Guards that a person let pass. */
  readonly override?: readonly string[];
}

/** Counts of actions by outcome; `actions` = done + skipped + failed + cancelled + remaining. */
export interface RunProgress {
  readonly actions: number;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly remaining: number;
  readonly bytes: number;
  readonly bytesDone: number;
  /** The most frequent failures by code, with one example message. */
  readonly causes: readonly { code: string; count: number; example: string }[];
}

/** A segment of a plan whose actions act alike, for one policy: one flow of jobs. */
export interface Batch {
  readonly runId: string;
  readonly planCid: string;
  readonly number: number;
  /** The policy whose rules want it. */
  readonly policy: string;
  readonly verb: Verb;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  /** Half-open range of `PlanAction.sequence`. */
  readonly from: number;
  readonly to: number;
  readonly actions: number;
  readonly bytes: number;
  readonly state: "pending" | "queued" | "done";
  /** Counts flows made for this batch; part of job ids, so that a retry is a new flow. */
  readonly attempt: number;
  /** Sequences of actions that have an outcome already; missing when there is none. */
  readonly ended?: readonly number[];
  /** What is done outside of the installation, and for which rule. */
  readonly outside?: OutsideOrder;
  /** Why it was cancelled; missing when it was not. */
  readonly cancelReason?: string;
}

/** A batch closes at this many objects or bytes; a larger object travels alone. */
export const batchObjectsMax = 1_000;
export const batchBytesMax = 16 * 1024 * 1024;

/** What a rule has done outside of the installation with the objects of a batch. */
export interface OutsideOrder {
  /** `policy/rule`. */
  readonly rule: string;
  readonly order: RunOrder;
}

/** What a job carries: names, never objects. */
export interface StepData {
  readonly runId: string;
  readonly planCid: string;
  readonly batch: number;
  readonly attempt: number;
  readonly from: number;
  readonly to: number;
  /** Sequences that are left out: they have an outcome already. */
  readonly ended?: readonly number[];
  readonly outside?: OutsideOrder;
  /** CID of the segment's Arrow IPC bytes: what was fetched is checked against it. */
  readonly segmentCid: string;
  readonly policy: string;
  readonly verb: Verb;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
}

/** What became of one action in a copy step. */
export type CopyOutcome = StepFindings &
  (
    | {
        readonly outcome: "done";
        readonly copy: ReportedCopy;
        readonly evidence: ReportedEvidence;
        /** False when the target already held an intact copy. */
        readonly moved: boolean;
      }
    | ActionEnd
  );

/** What became of one action of a rule with `run:`. */
export type ActOutcome = StepFindings &
  ({ readonly outcome: "done"; readonly message: string } | ActionEnd);

/** What became of one action in a remove step. */
export type RemoveOutcome = StepFindings &
  (
    | {
        readonly outcome: "done";
        readonly result: "removed" | "absent";
        readonly proof: RemovalProof;
      }
    | RemovalEnd
  );

export interface StepFindings {
  readonly sequence: number;
  /** What checks found on the way that the index should know, such as a corrupt source. */
  readonly findings?: readonly Evidence[];
}

export type ActionEnd =
  | { readonly outcome: "skipped" | "cancelled"; readonly reason: string }
  | {
      readonly outcome: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      /** What a command wrote last to its standard error. */
      readonly output?: string;
    };

/**
 * How a removal ends that was not made. `expired`: its permit ran out before its turn, so that the
 * action stays open and is judged anew for another permit.
 */
export type RemovalEnd =
  | ActionEnd
  | { readonly outcome: "expired"; readonly reason: string }
  | SameStorageEnd;

/** Kept because two of its backends are one and the same storage: permits rest on others then. */
export interface SameStorageEnd {
  readonly outcome: "skipped";
  readonly reason: string;
  readonly sameStorage: SamePair;
}

/** Answer of the single writer to a commit: which removals may go on. */
export interface CommitResult {
  /** Of the controller that vouches for these permits; none where there is only one controller. */
  readonly epoch?: number;
  /**
   * Backends that are out and without which some removal of the batch cannot be judged. Then
   * there are no permits yet: commit again when they answer.
   */
  readonly awaits?: readonly string[];
  /**
   * Why nobody can tell what the policies want to keep. Then nothing of the batch is permitted,
   * refused or marked for deletion yet: commit again.
   */
  readonly unknown?: string;
  readonly permits: readonly (RemovalPermit & { readonly sequence: number })[];
  readonly refusals: readonly (PermitRefusal & { readonly sequence: number })[];
}

/** What a worker is told about a step it works on. */
export type RunControl = "run" | "pause" | "cancel";

/** The step that a worker asks about. */
export interface StepScope extends Pick<
  StepData,
  "runId" | "policy" | "verb" | "source" | "target" | "victim"
> {
  /** The node that works on it. */
  readonly node: string;
}

/** How a step that is paused comes to rest. */
export const workStops = ["checkpoint", "finish-object"] as const;
export type WorkStop = (typeof workStops)[number];

export interface StepControl {
  readonly control: RunControl;
  /** Why, when it is not `run`. */
  readonly reason?: string;
  /** With `pause`: when the step may go on (ISO 8601 UTC), if that is known. */
  readonly until?: string;
  /** With `pause`: whether the object at hand is finished first; not, unless said. */
  readonly stop?: WorkStop;
}
