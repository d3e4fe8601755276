import type { ActiveStep } from "#model/control.ts";
import type { Wait, Work } from "#model/wait.ts";

/** Why a run, an object or a job stands where it stands. Times are ISO 8601 UTC. */
export interface WhyReport {
  readonly about: "run" | "object" | "job";
  /** What it is and how it stands, in one line. */
  readonly subject: string;
  /** Work that does not go on, by reason. */
  readonly waiting: readonly WaitingWork[];
  /** What workers hold of it. */
  readonly active: readonly ActiveStep[];
  /** About an object: its actions in runs. */
  readonly actions: readonly ActionStanding[];
  /** Copies, holds, what the policies say, the ledger's last word; of a job its attempts. */
  readonly facts: readonly string[];
  /** What the answer rests on, so that silence about something means something. */
  readonly looked: readonly string[];
}

export interface WaitingWork {
  readonly work: Work;
  readonly wait: Wait;
  readonly since: string | undefined;
  readonly batches: number;
  readonly actions: number;
  readonly bytes: number;
}

export const actionStates = [
  "pending",
  "queued",
  "active",
  "done",
  "skipped",
  "failed",
  "cancelled",
] as const;

/** One action about an object in a run. */
export interface ActionStanding {
  readonly runId: string;
  readonly sequence: number;
  readonly batch: number | undefined;
  readonly verb: string;
  readonly rule: string;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  readonly state: (typeof actionStates)[number];
  /** Why it is in that state. */
  readonly message: string;
}

/** Batches of a run that act alike, with all that is left of them. */
export interface OpenWork extends Omit<Work, "node"> {
  readonly pending: number;
  /** Of the pending ones, those that need other batches to end first. */
  readonly blocked: number;
  readonly queued: number;
  /** Numbers of the queued ones with removals of which nobody said how they ended. */
  readonly unsettled: readonly number[];
  /** When the last of these removals is settled by asking the backend; null without any. */
  readonly settledAt: string | null;
  readonly actions: number;
  readonly bytes: number;
  /** Why it was cancelled; null when it was not. */
  readonly cancelReason: string | null;
}
