import type { ErrorCode } from "#model/engine-error.ts";
import type { Verb } from "#model/plan.ts";

/** What a policy says under `onError`, with defaults: how much failure it takes. */
export interface FailureLimits {
  readonly policy: string;
  /** An object that fails with the same cause in so many runs is left out of later plans. */
  readonly quarantineAfter: number;
  /** Share of failures (0 to 1) at which the policy is suspended; undefined: never. */
  readonly suspendAt: number | undefined;
  /** Fewest outcomes that a share is computed from. */
  readonly minimum: number;
}

export const defaultFailureLimits: Omit<FailureLimits, "policy"> = {
  quarantineAfter: 3,
  suspendAt: undefined,
  minimum: 50,
};

/**
 * What failed: making the new copy, removing the old one, or what a rule with `run:` has done.
 * The first two are known by object and backend, the last by its rule as well.
 */
export const failureSteps = ["copy", "removal", "act"] as const;
export type FailureStep = (typeof failureSteps)[number];

/**
 * Causes that lie with one object on one backend. Only these lead to quarantine: what the
 * backend, its credentials or a person brought about says nothing about the object.
 */
export const objectCauses: readonly ErrorCode[] = [
  "ALREADY_EXISTS",
  "CONFLICT",
  "CORRUPT",
  "FORBIDDEN",
  "INTERNAL",
  "INVALID_DOCUMENT",
  "NOT_FOUND",
  "NOT_SUPPORTED",
  "TIMEOUT",
  "UNREADABLE",
];

/**
 * Causes that count for quarantine where a webhook or a command was handed an object: it was asked
 * and said no. That it cannot be reached, run or signed for says nothing about the object.
 */
export const outsideCauses: readonly ErrorCode[] = ["REFUSED"];

/** Selects failures; every given field must fit. */
export interface FailureFilter {
  readonly run?: string;
  readonly policy?: string;
  readonly backend?: string;
  readonly cause?: string;
  /** CID, path or number of one object. */
  readonly object?: string;
  /** A policy expression over objects. */
  readonly where?: string;
}

/** One action that failed and did not succeed since. Times are ISO 8601 UTC. */
export interface Failure {
  readonly cid: string;
  readonly path: string | undefined;
  readonly size: number;
  readonly run: string;
  readonly sequence: number;
  readonly verb: Verb;
  readonly rule: string;
  readonly step: FailureStep;
  /** Undefined for what was done outside of all backends. */
  readonly backend: string | undefined;
  readonly code: string;
  readonly message: string;
  /** What a command wrote last to its standard error; some lines. */
  readonly output: string | undefined;
  /** In how many runs in a row it failed with this cause. */
  readonly failures: number;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly quarantinedAt: string | undefined;
}

/** Failures of one cause. */
export interface FailureCause {
  readonly code: string;
  readonly count: number;
  readonly example: string;
  /** What the command of the example wrote last to its standard error. */
  readonly output: string | undefined;
  readonly remedy: string;
}

/** A page of failures below the counts of all of them, the most frequent cause first. */
export interface FailureReport {
  readonly total: number;
  readonly causes: readonly FailureCause[];
  readonly failures: readonly Failure[];
}

/** A policy that was stopped because too much of what it did failed. */
export interface Suspension {
  readonly policy: string;
  readonly since: string;
  readonly failed: number;
  readonly outcomes: number;
  /** The numbers in words, and the most frequent cause. */
  readonly message: string;
}

/** A copy that a check found absent or corrupt and that is not made good yet. */
export interface Repair {
  readonly objectId: number;
  readonly cid: string;
  readonly path: string | undefined;
  readonly backend: string;
  readonly found: "lost" | "corrupt";
  readonly openedAt: string;
  /** The run that restores it, or did so last. */
  readonly run: string | undefined;
  readonly tries: number;
  /** Copies that still count as intact. */
  readonly copies: number;
  /** What stands in the way, when something does. */
  readonly message: string | undefined;
}
