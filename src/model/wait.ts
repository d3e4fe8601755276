import type { Batch, WorkStop } from "#model/run.ts";

/** Why work that was planned does not go on: the one list that everything answers from. */
export const waitReasons = {
  paused: "somebody paused it",
  window: "its policy may not act at this time",
  policies: "nobody can tell what the policies want to keep",
  suspended: "too large a share of its policy's actions failed",
  quarantined: "the object failed too often for the same cause",
  approval: "a person must approve it first",
  outage: "a backend it needs does not answer",
  thaw: "what it reads is being restored from an archive",
  pin: "nodes are still fetching what they should pin",
  cordon: "the backend takes no new copies",
  capacity: "the backend is full",
  role: "no living node does this kind of work",
  dependency: "other actions must end first",
  concurrency: "the lane works on as much as it may",
  rate: "the backend's requests per time are used up",
  bandwidth: "the backend's bytes per time are used up",
  budget: "what it may cost is used up",
} as const;

export type WaitReason = keyof typeof waitReasons;

/** Why something waits, in words for the person who has to decide what to do about it. */
export interface Wait {
  readonly reason: WaitReason;
  readonly message: string;
  /** When it ends by itself (ISO 8601 UTC), if that is known. */
  readonly until?: string;
  /** How work that is under way stops: where it is (unless said), or after its object. */
  readonly stop?: WorkStop;
  /** What to do to end it sooner: a command, if there is one. */
  readonly remedy?: string;
}

/** Work that may be held back: what the batches of a run that act alike have in common. */
export interface Work extends Pick<
  Batch,
  "runId" | "policy" | "verb" | "source" | "target" | "victim"
> {
  /** The lane on which it begins. */
  readonly lane: string;
  /** The node that works on it now; undefined while it is only pending. */
  readonly node: string | undefined;
}

/** Work that is held back, as the dispatcher last saw it. */
export interface HeldWork {
  readonly work: Work;
  readonly wait: Wait;
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly batches: number;
}
