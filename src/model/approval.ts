import type { SavedPlan } from "#model/plan.ts";

/** Why a plan needs approval, and whose: what a policy says under `approval`. */
export interface ApprovalTerms {
  readonly policy: string;
  /** The condition over the plan that was true. */
  readonly when: string;
  /** `role NAME` or `user NAME`; anybody when missing. */
  readonly from?: string;
  /** How long the request stands, and an approval that was given. */
  readonly ttlMs: number;
  /** Whoever applied the plan does not approve it. */
  readonly preventSelfApproval: boolean;
}

export const approvalStates = [
  "awaiting",
  "approved",
  "rejected",
  "expired",
  "superseded",
  "cancelled",
] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** A plan that was applied and waits, or waited, for approval. Times are ISO 8601 UTC. */
export interface Approval {
  /** The run that begins with the last approval. */
  readonly runId: string;
  readonly planCid: string;
  /** What is approved: see `changeDigest`. */
  readonly changeDigest: string;
  readonly state: ApprovalState;
  /** Who applied the plan; the schedule or trigger that did. */
  readonly author: string;
  readonly origin: string;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly evaluatedAt: string;
  readonly actions: number;
  readonly objects: number;
  readonly bytes: number;
  readonly terms: readonly ApprovalTerms[];
  readonly decisions: readonly Decision[];
  /** Guards that the author let pass. */
  readonly override: readonly string[];
  /** Why it ended, in words; empty while it waits. */
  readonly reason: string;
}

export const verdicts = ["approve", "reject"] as const;
export type Verdict = (typeof verdicts)[number];

/** What one person decided. */
export interface Decision {
  readonly verdict: Verdict;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  /** Policies whose terms it fulfils. */
  readonly policies: readonly string[];
}

/** An order to decide about a plan that waits. */
export interface DecisionRequest {
  /** Run id, plan CID or change digest, or the beginning of one. */
  readonly plan: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** The change that was shown; another one is refused. */
  readonly expectDigest?: string;
  /** Approve what still fits, although other actions of it do not. */
  readonly allowSubset?: boolean;
}

/**
 * What an approval binds to: the CID of the rows, which name every object, what is done to it,
 * where, by which rule and why. The same effects of a later evaluation have the same digest.
 */
export function changeDigest({ header }: Pick<SavedPlan, "header">): string {
  return header.rows;
}

/** The terms that nobody has fulfilled yet. */
export function openTerms({ terms, decisions }: Approval): readonly ApprovalTerms[] {
  const fulfilled = new Set(decisions.flatMap(({ policies }) => policies));
  return terms.filter(({ policy }) => !fulfilled.has(policy));
}

/** Whose approval is missing, in words: `policy cool-down (bytes > 10TiB) from role approver`. */
export function termsText(terms: readonly ApprovalTerms[]): string {
  return terms
    .map(({ policy, when, from }) => `policy ${policy} (${when}) from ${from ?? "anybody"}`)
    .join("; ");
}
