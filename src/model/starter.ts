/** What starts a policy by itself: its schedule, or one of its triggers. */
export interface Starter {
  readonly policy: string;
  /** `schedule`, or the name of the trigger: `usage hot above 85%`. */
  readonly name: string;
  readonly state: StarterState;
}

/** What has to outlive the process. Times are ISO 8601 UTC. */
export interface StarterState {
  /** What it was when the state was written: a schedule that is changed begins anew. */
  readonly identity: string;
  /** Occurrences up to here are dealt with; what an event trigger has seen. */
  readonly cursor: string;
  /** A trigger on usage is between its marks; an event waits for its quiet. */
  readonly active?: boolean;
  /** The occurrence that waits until the run before it has ended. */
  readonly waiting?: string;
  readonly disabled?: { readonly reason: string; readonly by: string; readonly at: string };
  readonly last?: Firing;
  /** Starts of a trigger since the last one that did something, and that one. */
  readonly tries?: number;
  /** Occurrences that never ran, since the state began. */
  readonly missed: number;
}

/** What the ledger is told of a starter. */
export type StarterNote =
  | { readonly reason: "enabled" | "disabled"; readonly runId?: undefined; readonly why: string }
  | ({ readonly reason: FiringOutcome } & Omit<Firing, "outcome">);

export const firingOutcomes = [
  "started",
  "nothing-to-do",
  "skipped",
  "waiting",
  "refused",
  "failed",
  "missed",
] as const;
export type FiringOutcome = (typeof firingOutcomes)[number];

/** What became of one occurrence or event. */
export interface Firing {
  /** When it was to be. */
  readonly occurrence: string;
  /** When it was dealt with. */
  readonly at: string;
  readonly outcome: FiringOutcome;
  readonly message?: string;
  readonly runId?: string;
}

/** How a firing is noted. */
export function firingNote({ outcome, ...firing }: Firing): StarterNote {
  return { reason: outcome, ...firing };
}
