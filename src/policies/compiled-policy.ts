import type { ApprovalTerms } from "#model/approval.ts";
import type { Backend } from "#model/backend.ts";
import type { Confidence } from "#model/copy.ts";
import type { FailureLimits } from "#model/failure.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { HeatSettings } from "#model/index-store.ts";
import type { RunOrder } from "#model/run-order.ts";
import type { DealTerms } from "#policies/deal-terms.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { CompiledBounds } from "#policies/removal-bound.ts";
import type { SqlFragment } from "#policies/sql-fragment.ts";

/**
 * Policies made ready for one inventory and one moment: what the planner and explain work on.
 * Rules stand in the order in which they win: by priority of their policy (high first), then
 * policy name, then their place in the document.
 */
export interface CompiledPolicySet {
  readonly rules: readonly CompiledRule[];
  /** The ids of rules with `enabled: false`, which are none of `rules`. */
  readonly switchedOff?: readonly string[];
  /** SHA-256 (hex) of each policy's canonical form, by policy name. */
  readonly digests: Readonly<Record<string, string>>;
  /** How much failure each policy takes, by name of the policy. */
  readonly failureLimits: readonly FailureLimits[];
  /** The most that one plan does of what each policy wants, by name of the policy. */
  readonly limits: Readonly<Record<string, PlanLimits>>;
  /** Which plans a person must approve. */
  readonly approvals: readonly CompiledApproval[];
  readonly moment: Moment;
}

/** SQL over `p`, one row of what the policy does in a plan. */
export interface CompiledApproval {
  readonly terms: ApprovalTerms;
  readonly when: SqlFragment;
}

/** What a compilation is bound to besides the policies. */
export interface Moment {
  readonly now: Date;
  readonly backends: readonly Backend[];
  readonly heat: HeatSettings;
  /** What the configuration names outside of the installation; unknown when missing. */
  readonly outside?: OutsideNames;
  /** Roles that the configuration gives to people; unknown when missing. */
  readonly roles?: readonly string[];
}

/** Names of the configuration that rules with `run:` may use. */
export interface OutsideNames {
  readonly webhooks: readonly string[];
  readonly commands: readonly string[];
  readonly exports: readonly string[];
}

export interface CompiledRule {
  /** `policy/rule`. */
  readonly id: string;
  readonly policy: string;
  /** Place in the document, for diagnostics: `file:line:column`. */
  readonly place: string;
  /** Boolean SQL over one row of the view `object`, aliased `o`; never null. */
  readonly where: SqlFragment;
  /**
   * Set when `where` reads the object's name: the same predicate over the view `name`, aliased
   * `n`, joined to `o`. Protective rules (hold, ensure) match when any name does, all others
   * only when every name does.
   */
  readonly whereByName: SqlFragment | undefined;
  /** The checked expression, for explain. */
  readonly expression: Expression;
  readonly verb: CompiledVerb;
  /** SQL keys over `o`; the planner adds object_id as the last one. */
  readonly order: readonly { readonly key: SqlFragment; readonly descending: boolean }[];
  readonly limit: { readonly objects: number | undefined; readonly bytes: number | undefined };
  /** It acts on all objects of one, or on none of them. */
  readonly group?: "collection";
  /** The reason of its actions, in the place of what its verb says. */
  readonly because?: string;
  /** What it gives up must save, within this time, what that costs. */
  readonly horizonMs?: number;
}

/** Masks are over `Backend.id`; they come from expressions over backends, known when compiled. */
export type CompiledVerb =
  | { readonly kind: "hold" }
  | {
      readonly kind: "ensure";
      readonly copies: { readonly min: number; readonly max: number | undefined };
      readonly on: bigint;
      /** Backends for new copies, those that go first first; no choice is made without. */
      readonly prefer?: readonly bigint[];
      readonly confidence: Confidence;
      /** Attribute of backends to spread over: `region`, `tier`, `driver`, `labels.<key>`. */
      readonly per: string | undefined;
      /** By which deals copies are made, on backends that make deals. */
      readonly deal?: DealTerms;
      /** How long its copies are wanted; always, when it does not say. */
      readonly forMs?: number;
    }
  | ({ readonly kind: "evict"; readonly from: bigint } & CompiledBounds)
  | ({
      readonly kind: "demote" | "promote";
      readonly from: bigint;
      readonly to: bigint;
      /** As of `ensure`. */
      readonly prefer?: readonly bigint[];
      /** Of a promotion: how long the copy is wanted. */
      readonly forMs?: number;
    } & CompiledBounds)
  | { readonly kind: "delete"; readonly graceMs: number }
  | CompiledRun;

/** One action for its own sake. */
export interface CompiledRun {
  readonly kind: "run";
  readonly order: RunOrder;
  /** Where copies are meant; 0 for what is about the object. */
  readonly on: bigint;
  /** After how long it is wanted again; once is enough when it does not say. */
  readonly everyMs?: number;
}
