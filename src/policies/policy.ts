import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { ApprovalTerms } from "#model/approval.ts";
import type { Confidence } from "#model/copy.ts";
import type { FailureLimits } from "#model/failure.ts";
import type { PlanLimits } from "#model/plan-limits.ts";
import type { RunOrder } from "#model/run-order.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import type { DealTerms } from "#policies/deal-terms.ts";
import type { RemovalBounds } from "#policies/removal-bound.ts";
import type { Expression } from "#policies/expression/expression.ts";

/** A policy that was read and checked without knowing any backend. Frozen data. */
export interface Policy {
  readonly name: string;
  readonly owner: string | undefined;
  readonly description: string | undefined;
  readonly priority: number;
  /** SHA-256 (hex) of what it says, whatever its layout. */
  readonly digest: string;
  readonly rules: readonly Rule[];
  /** How much failure it takes. */
  readonly failureLimits: FailureLimits;
  /** The most that one plan of it does. */
  readonly limits: PlanLimits;
  /** What it gives up must save, within this time, what that costs. */
  readonly horizonMs: number | undefined;
  /** Which plans of it a person must approve. */
  readonly approval: PolicyApproval | undefined;
  /** When it runs by itself, and when its actions may. */
  readonly timing: PolicyTiming;
  /** Where everything stands, for findings that need the inventory. */
  readonly places: DocumentPlaces;
  /** The documents of the classes that it has from others, by the name of the class. */
  readonly classPlaces: ReadonlyMap<string, DocumentPlaces>;
}

/** When a plan needs approval, and whose. */
export interface PolicyApproval {
  /** Over what the policy does in a plan. */
  readonly condition: Expression;
  readonly terms: Omit<ApprovalTerms, "policy">;
}

export interface Rule {
  readonly name: string;
  readonly policy: string;
  /** Path of the rule in its document. */
  readonly path: DocumentPath;
  readonly where: Expression;
  readonly verb: RuleVerb;
  readonly order: readonly OrderKey[];
  readonly limit: { readonly objects: number | undefined; readonly bytes: number | undefined };
  /** It acts on all objects of one, or on none of them. */
  readonly group?: "collection";
  /** It acts also where that costs more than it saves. */
  readonly force?: true;
  /** It is checked like all others, and does nothing. */
  readonly enabled?: false;
}

export interface OrderKey {
  readonly key: Expression;
  /** Where it stands in its document. */
  readonly path: DocumentPath;
  readonly descending: boolean;
}

/** What a rule wants, still with conditions over backends instead of masks. */
export type RuleVerb =
  | { readonly kind: "hold" }
  | {
      readonly kind: "ensure";
      /** `all`: as many as there are backends. */
      readonly copies: { readonly min: number | "all"; readonly max: number | undefined };
      readonly on: BackendCondition;
      readonly prefer?: readonly OrderKey[];
      readonly confidence: Confidence;
      readonly per: string | undefined;
      readonly deal?: DealTerms;
      /** How long its copies are wanted; always, when it does not say. */
      readonly forMs?: number;
    }
  | ({ readonly kind: "evict"; readonly from: BackendCondition } & RemovalBounds)
  | ({
      readonly kind: "demote" | "promote";
      readonly from: BackendCondition;
      readonly to: BackendCondition;
      readonly prefer?: readonly OrderKey[];
      /** Of a promotion: how long the copy is wanted. */
      readonly forMs?: number;
    } & RemovalBounds)
  | { readonly kind: "delete"; readonly graceMs: number }
  | {
      readonly kind: "run";
      readonly order: RunOrder;
      /** Whose copies are meant; undefined for what is about the object. */
      readonly on: BackendCondition | undefined;
      /** After how long it is wanted again; once is enough when it does not say. */
      readonly everyMs?: number;
    };

/** A condition over backends and where it stands. */
export interface BackendCondition {
  readonly condition: Expression;
  readonly path: DocumentPath;
}
