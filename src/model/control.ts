import type { Plan } from "#model/plan.ts";
import type { Run } from "#model/run.ts";

/** What a pause, resume or cancel may be about. */
export const controlScopes = ["run", "policy", "backend", "node", "everything"] as const;
export type ControlScope = (typeof controlScopes)[number];

export interface ControlTarget {
  readonly scope: ControlScope;
  /** Of the run, policy, backend or node; empty for everything. */
  readonly name: string;
}

/** A standing order to hold work back. It outlives every process. Times are ISO 8601 UTC. */
export interface Pause extends ControlTarget {
  readonly reason: string;
  /** Who gave it, as the client said. */
  readonly actor: string;
  readonly since: string;
  /** It ends by itself then; undefined until somebody resumes. */
  readonly until: string | undefined;
}

/** The target in words: `policy cool-down`, `everything`. */
export function targetWords({ scope, name }: ControlTarget): string {
  return scope === "everything" ? scope : `${scope} ${name}`;
}

/** The command that ends a pause. */
export function resumeCommand({ scope, name }: ControlTarget): string {
  if (scope === "everything") return "thermocline resume --all";
  return scope === "run" ? `thermocline resume ${name}` : `thermocline resume --${scope} ${name}`;
}

/** How much open work something is about. */
export interface AffectedWork {
  readonly runs: number;
  readonly actions: number;
  readonly bytes: number;
  /** Batches that are with workers or wait in their lanes. */
  readonly queued: number;
}

/** An order about work under way. */
export interface ControlRequest extends ControlTarget {
  readonly verb: "pause" | "resume" | "cancel";
  /** Kept in the ledger; a pause or cancel of everything must have one. */
  readonly reason: string;
  /** When a pause ends by itself: a time (ISO 8601) or a duration (`2h`). */
  readonly until?: string;
  /** Cancel only what was not begun about the objects that this expression selects. */
  readonly where?: string;
  /** Say what it would be about, and change nothing. */
  readonly dryRun?: boolean;
}

export interface ControlReport {
  /** The open work that the target has. */
  readonly work: AffectedWork;
  /** Actions that a cancel by expression ended. */
  readonly cancelled: number;
  /** What workers hold at this moment, the first of them. */
  readonly inFlight: readonly ActiveStep[];
  /** Every pause that stands now. */
  readonly pauses: readonly Pause[];
  /** That nothing has this name now, and what may have been meant; missing where something has. */
  readonly notice?: string;
}

/** A job that a worker has. */
export interface ActiveStep {
  readonly runId: string;
  readonly batch: number;
  readonly step: string;
  readonly lane: string;
  readonly node: string | undefined;
  /** ISO 8601 UTC, by the clock of that node. */
  readonly since: string | undefined;
  /** Whether its worker let go of it without a word: it ended, or does not reach the queue. */
  readonly lost: boolean;
  readonly done: number;
  readonly total: number;
  /** Moved by this worker so far, also of objects that are not done. */
  readonly bytes: number;
}

/** A hold, or the end of holds, for every object that an expression selects. */
export interface HoldRequest {
  readonly where: string;
  readonly held: boolean;
  readonly reason: string;
  readonly dryRun?: boolean;
}

export interface HoldReport {
  /** Objects that the expression selects, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** Those whose hold was not yet as asked for. */
  readonly changed: number;
}

/** Which failed or cancelled actions are tried again; what is given narrows. */
export interface RetryRequest {
  readonly run?: string;
  /** Error code of the failures. */
  readonly cause?: string;
  readonly policy?: string;
  readonly backend?: string;
  /** An expression over the objects. */
  readonly where?: string;
  /** The plan that was shown (CID and time): another one is refused. */
  readonly expectCid?: string;
  readonly at?: string;
  readonly override?: readonly string[];
  /** Say what would be tried, and start nothing. */
  readonly dryRun?: boolean;
}

/** Why an action that failed is not tried again, in the words people read. */
export const leftOutReasons = {
  quarantined: "quarantined, having failed too often for one cause: thermocline quarantine ls",
  locked: "kept by a lock of their backend: thermocline explain OBJECT says until when",
  "no-rule": "wanted by a rule that the policies no longer have",
  "not-planned": "done, unwanted or impossible by now: thermocline explain OBJECT says which",
} as const;

export type LeftOutReason = keyof typeof leftOutReasons;

/** Actions that failed and that the policies do not ask for now. */
export interface LeftOut {
  readonly reason: LeftOutReason;
  readonly actions: number;
}

export interface RetryReport {
  /** Actions that failed or were cancelled, and those of them that another run is working on. */
  readonly failed: { readonly actions: number; readonly bytes: number; readonly underWay: number };
  /** What of it the policies still want. */
  readonly plan: Plan;
  /** What of it is neither under way nor in the plan, with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Missing when nothing was started. */
  readonly run: Run | undefined;
}
