import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ErrorCode } from "#model/engine-error.ts";
import type { PolicyRefusal } from "#model/policy-word.ts";

/**
 * Leave to remove one copy, issued by the single writer of the index and recorded in the
 * ledger before anything happens. It names the copies that must remain and are reserved.
 */
export interface RemovalPermit extends ObjectRef {
  readonly id: string;
  readonly objectId: number;
  /** The backend whose copy may go. */
  readonly backend: string;
  /** Copies that must be seen, now, before the removal. Empty only for `authority: "delete"`. */
  readonly reserved: readonly ReservedCopy[];
  /** `surplus`: enough other copies remain. `delete`: a tombstone past its grace period. */
  readonly authority: "surplus" | "delete";
  readonly issuedAt: string;
  /** ISO 8601 UTC; afterwards the permit is void and its outcome is settled by asking. */
  readonly expiresAt: string;
}

/** A worker gives up a call to remove after this: by then its backend has acted, or never will. */
export const removeTimeoutMs = 30_000;
/** How far the clocks of nodes may differ, unless `safety.clockSkew` says otherwise. */
export const defaultClockSkewMs = 90_000;

/**
 * How long after a permit ran out somebody may still be using it, by the clock of the writer: for
 * a call begun at the last moment, by a worker whose clock is behind.
 */
export function permitMarginMs(clockSkewMs: number = defaultClockSkewMs): number {
  return removeTimeoutMs + clockSkewMs;
}

export interface ReservedCopy {
  readonly backend: string;
  readonly confidence: Confidence;
  /** Last time every byte was checked (ISO 8601 UTC); decides how deep the new check must go. */
  readonly verifiedAt: string | undefined;
  /** What is recorded of it; something else is re-hashed, and all where nothing is told. */
  readonly stored: Pick<StoredCopy, "form" | "bytes"> | undefined;
}

/** Why the writer gave no permit. */
export interface PermitRefusal {
  readonly objectId: number;
  readonly cid: string;
  readonly backend: string;
  readonly reason:
    | "below-minimum"
    | "reserved"
    | "absent"
    | "not-tombstoned"
    | "group"
    | PolicyRefusal["reason"];
  readonly message: string;
}

/**
 * After these nobody can say whether the storage still acts on a removal, whatever it showed a
 * moment later: its permit stays reserved until it has run out and is settled by asking.
 */
export const outcomeUnknownAfter: ReadonlySet<ErrorCode> = new Set(["TIMEOUT", "UNAVAILABLE"]);

/** What a removal rested on: kept with the job, then in the ledger as the proof. */
export interface RemovalProof {
  readonly permitId: string;
  readonly evidence: readonly Evidence[];
}
