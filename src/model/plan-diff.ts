import type { Cost } from "#model/plan.ts";

/** Two plans over one index to be held against each other. */
export interface PlanDiffRequest {
  readonly from: PlanSide;
  readonly to: PlanSide;
  /** Both are evaluated as if it were this time (ISO 8601); saved plans keep theirs. */
  readonly at?: string;
  /** Objects shown for each kind of difference of each rule. */
  readonly samples?: number;
}

/** A saved plan, or what these policy files lead to now. */
export type PlanSide = { readonly planFile: string } | { readonly policies: readonly string[] };

/** Only the second plan acts, only the first one did, or both do but not the same. */
export const planDifferences = ["gained", "lost", "changed"] as const;
export type PlanDifference = (typeof planDifferences)[number];

export interface PlanDiff {
  readonly from: ComparedPlan;
  readonly to: ComparedPlan;
  /** Objects over all rules: one that another rule acts on in the same way is `same`. */
  readonly objects: Readonly<Record<PlanDifference | "same", ObjectCount>>;
  /** Rules with a difference, by name. */
  readonly rules: readonly RuleDiff[];
}

export interface ComparedPlan {
  readonly cid: string;
  readonly evaluatedAt: string;
  readonly indexVersion: number;
  readonly actions: number;
  /** Absent where nothing has a price. */
  readonly cost?: Cost;
}

export interface ObjectCount {
  readonly objects: number;
  readonly bytes: number;
}

export interface RuleDiff {
  readonly rule: string;
  readonly difference: PlanDifference;
  readonly objects: number;
  readonly bytes: number;
  readonly samples: readonly PlanDiffSample[];
}

/** One object, and what each plan does to it for the rule: empty when nothing. */
export interface PlanDiffSample {
  readonly cid: string;
  /** One of its names in the index; missing where the index knows none. */
  readonly path?: string;
  readonly size: number;
  readonly from: readonly string[];
  readonly to: readonly string[];
}
