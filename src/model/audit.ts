/** What the self-check of the ledger looks for: name and meaning. */
export const auditChecks = {
  "no-outcome": "an action of a batch that ended has no outcome",
  "two-outcomes": "an action has more than one outcome",
  "outcome-not-in-ledger": "the ledger does not have each outcome exactly once, and the same one",
  "wrong-count": "a batch counts other outcomes than it has",
  "removal-without-proof": "a copy was given up and the ledger has no proof for it",
  "proof-without-permit": "a proof names a permit that was not recorded before it",
  "proof-without-evidence": "a proof lacks evidence of a copy that its permit reserved",
  "open-permit": "a run ended while a permit of it was open",
  "ledger-gap": "entries of the ledger are missing or doubled",
  "wrong-figure": "a maintained figure differs from what it sums up",
} as const;

export type AuditCheck = keyof typeof auditChecks;

/** Answer of the self-check: what was looked at, and everything that should not be. */
export interface AuditReport {
  readonly runs: number;
  readonly actions: number;
  readonly outcomes: {
    readonly done: number;
    readonly skipped: number;
    readonly failed: number;
    readonly cancelled: number;
  };
  readonly permits: number;
  readonly proofs: number;
  /** Removals whose outcome was unknown and was settled by asking the backend. */
  readonly settlements: number;
  readonly entries: number;
  /** Empty when all is well. */
  readonly findings: readonly AuditFinding[];
}

export interface AuditFinding {
  readonly check: AuditCheck;
  readonly count: number;
  /** The first few, in words: which run, which action. */
  readonly examples: readonly string[];
}

/** Which entries of the ledger. Times are ISO 8601. */
export interface AuditRequest {
  /** An expression over the attributes of the ledger. */
  readonly where?: string;
  readonly since?: string;
  readonly until?: string;
  /** Id of a run, or the beginning of it. */
  readonly run?: string;
  /** CID, path or number of an object. */
  readonly object?: string;
  /** The newest so many; all without it. */
  readonly limit?: number;
}

/** One entry of the ledger. What does not apply is absent. */
export interface AuditEntry {
  readonly entry: number;
  readonly recorded: string;
  readonly kind: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly run?: string;
  readonly plan?: string;
  readonly action?: number;
  readonly policy?: string;
  readonly rule?: string;
  readonly verb?: string;
  readonly backend?: string;
  readonly cid?: string;
  readonly path?: string;
  /** Who had it done; absent when the engine acted by itself. */
  readonly actor?: string;
  /** The reason they gave. */
  readonly note?: string;
  /** Evidence, permit and the like, as recorded. */
  readonly detail?: unknown;
}

export interface AuditExportRequest extends AuditRequest {
  /** On the controller's machine; its extension says the format. */
  readonly file: string;
}
