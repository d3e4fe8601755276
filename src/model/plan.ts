import type { ApprovalTerms } from "#model/approval.ts";
import type { BudgetState, PlanBudget } from "#model/budget.ts";
import type { Confidence } from "#model/copy.ts";
import type { currency, Usd } from "#model/money.ts";
import { type RunOrder, runActions } from "#model/run-order.ts";
import type { PlanLimits } from "#model/plan-limits.ts";

/**
 * What one action does. `replicate` adds a copy; `demote` and `promote` add one copy and then
 * remove one; `evict` removes one; `tombstone` marks an object for deletion and starts its
 * grace; `delete` removes one copy of an object whose grace is over. The others are what rules
 * with `run:` have done: `verify` checks the copy on `source`, `tag` changes tags,
 * `notify` and `command` hand the object to somebody else.
 */
export const verbs = [
  "replicate",
  "demote",
  "promote",
  "evict",
  "tombstone",
  "delete",
  ...runActions,
] as const;
export type Verb = (typeof verbs)[number];

/** One row of a plan. Backends are named by their id (`Backend.id`). */
export interface PlanAction {
  /** Position in the plan, dense from 0; also the identity of the action within it. */
  readonly sequence: number;
  readonly verb: Verb;
  readonly objectId: number;
  readonly cid: string;
  readonly size: number;
  readonly profile: string;
  /**
   * Read from here (any other healthy copy may serve when it fails); of `verify` the backend of
   * the copy. Null when nothing is read.
   */
  readonly source: number | null;
  /** A copy is made here; null when nothing is copied. */
  readonly target: number | null;
  /** The copy here is removed at the end; null when nothing is removed. */
  readonly victim: number | null;
  /** `policy/rule` that won. */
  readonly rule: string;
  /** Why, in words that do not depend on the time of evaluation. */
  readonly reason: string;
  /** What must still hold after a removal, re-checked when the permit is issued. */
  readonly requirements: readonly CopyRequirement[];
}

/** "At least `copies` copies among `backends`, each at least this sure." */
export interface CopyRequirement {
  readonly rule: string;
  /** Bit mask over backend ids, as a decimal string (JSON has no 64-bit integers). */
  readonly backends: string;
  readonly copies: number;
  readonly confidence: Confidence;
  /** And in so many values of an attribute, unless they lie closer without the removal. */
  readonly spread?: CopySpread;
}

/** "In at least `values` of these `groups` of backends, one for each value of `per`." */
export interface CopySpread {
  readonly per: string;
  readonly values: number;
  /** Bit masks, as `backends`. */
  readonly groups: readonly string[];
}

/** Column order and SQL types of the plan's rows, in memory and in Parquet. */
export const planColumns = [
  ["sequence", "BIGINT"],
  ["verb", "VARCHAR"],
  ["object_id", "BIGINT"],
  ["cid", "BLOB"],
  ["size", "BIGINT"],
  ["profile", "VARCHAR"],
  ["source", "INTEGER"],
  ["target", "INTEGER"],
  ["victim", "INTEGER"],
  ["rule", "VARCHAR"],
  ["reason", "VARCHAR"],
  ["requirements", "VARCHAR"],
] as const;

/**
 * The part of a plan that its CID covers: what would change, and what that rests on. The time
 * of evaluation is not in it (docs/decisions/0002): two evaluations that lead to the same
 * actions on the same index are the same plan.
 */
export interface PlanHeader {
  readonly schemaVersion: 1;
  readonly engine: string;
  /** SHA-256 (hex) of each policy's canonical form, by policy name. */
  readonly policies: Readonly<Record<string, string>>;
  /** Commit counter of the index when the plan was made. */
  readonly indexVersion: number;
  /** CID of the snapshot that was planned on; absent when it was the index itself. */
  readonly snapshot?: string;
  /** Digest of the backend inventory (names, tiers, capacities, cordons). */
  readonly inventory: string;
  /** CID of the Parquet file with the rows. */
  readonly rows: string;
  readonly totals: PlanTotals;
  readonly guards: readonly GuardResult[];
  /** What rules wanted and the plan could not give, with the reason. */
  readonly blocked: readonly BlockedCount[];
  /** Limits that were asked for with the plan, besides those that the policies have. */
  readonly limits?: PlanLimits;
  /** Budgets that it keeps within, of its policies and of those that were asked for with it. */
  readonly budgets?: readonly PlanBudget[];
  /** What a person must approve before it runs. */
  readonly approvals?: readonly ApprovalTerms[];
  /** Rules whose copies are wanted for a time only, in milliseconds. */
  readonly leases?: Readonly<Record<string, number>>;
  /** What rules with `run:` have done, by `policy/rule`. */
  readonly orders?: Readonly<Record<string, RunOrder>>;
  /** Rules that act on a collection whole or not at all. */
  readonly groups?: readonly string[];
  /** The only objects that were looked at: an expression, or the name of one. */
  readonly only?: string;
  /** Values that variables of the policies were given in the place of their defaults. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A plan as a file: `<name>.plan.json`, its rows beside it as `<name>.plan.parquet`. */
export interface SavedPlan {
  readonly cid: string;
  readonly evaluatedAt: string;
  /** Absent where no backend has a price. What it costs to go too early depends on the time. */
  readonly cost?: PlanCost;
  readonly header: PlanHeader;
}

/** What a plan costs by the price cards, in dollars. */
export interface PlanCost extends Cost {
  readonly currency: typeof currency;
  /** In the order of `header.totals.groups`; the totals are what these add up to, rounded once. */
  readonly groups: readonly Cost[];
  /** What was not done because it costs more than it saves, by rule (`break-even`). */
  readonly refused?: readonly CostRefusal[];
  /** How its budgets stand, in the order of `header.budgets`. */
  readonly budgets?: readonly BudgetState[];
}

/** What a rule would have cost that does not pay within its horizon. */
export interface CostRefusal extends Cost {
  readonly rule: string;
  readonly horizonMs: number;
  /** Of `now`, what is left of the minimum durations of copies that would go. */
  readonly early: Usd;
  /** Objects that their new backend charges at its `minimumSize`, since they are smaller. */
  readonly atMinimumSize: number;
}

export interface Cost {
  /** To pay once: requests, egress, retrieval, and what is left of minimum durations. */
  readonly now: Usd;
  /** By how much a month gets dearer; negative when it gets cheaper. */
  readonly month: Usd;
}

/** A plan, and where its rows are. */
export interface Plan extends SavedPlan {
  /** Where the Parquet rows lie on this machine. */
  readonly rowsPath: string;
}

export interface PlanTotals {
  readonly actions: number;
  readonly objects: number;
  /** Bytes that would be read and written by copies. */
  readonly bytesMoved: number;
  /** Bytes that removals would free. */
  readonly bytesFreed: number;
  readonly groups: readonly PlanGroup[];
}

/** Totals of one verb by rule and backends (names, for people). */
export interface PlanGroup {
  readonly verb: Verb;
  readonly rule: string;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  readonly actions: number;
  readonly bytes: number;
}

export const guards = ["objects", "deletes", "minimum-copies", "capacity"] as const;

export interface GuardResult {
  readonly guard: (typeof guards)[number];
  readonly passed: boolean;
  readonly message: string;
  /** The flag that overrides it, if one may. */
  readonly override?: string;
}

export const blockReasons = [
  "held",
  "minimum-copies",
  "ensure",
  "capacity",
  "cordon",
  "no-target",
  "no-source",
  "limit",
  /** What its budget has left in this period is not enough. */
  "budget",
  "grace",
  /** Another object of its collection cannot have the same, and they go together. */
  "group",
  /** A driver cannot remove copies. */
  "not-supported",
  /** The only copy is not verified, and only a check of it (verify) would help. */
  "unverified",
  /** It failed too often for the same cause; a person releases it, or a success. */
  "quarantined",
  /** The backend itself lets nobody remove the copy, until a time or until somebody lifts that. */
  "locked",
  /** It would cost more than it saves within the horizon of its policy. */
  "break-even",
] as const;
export type BlockReason = (typeof blockReasons)[number];

export interface BlockedCount {
  readonly rule: string;
  readonly reason: BlockReason;
  readonly objects: number;
  readonly bytes: number;
  /**
   * With `limit`: whose limit it was, and how much it allows; missing when the rule's own. With
   * `budget`: how it stands.
   */
  readonly limit?: string;
}
