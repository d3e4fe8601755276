import type { BlockReason, Cost, PlanAction } from "#model/plan.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";

/** What the planner made of one case. */
export interface CaseOutcome {
  readonly test: TestCase;
  /** Ids of the objects in the index, in the order of the case. */
  readonly ids: readonly number[];
  readonly actions: readonly PlanAction[];
  /** By object, what rules wanted for it and could not have; for the objects asked about. */
  readonly blocked: ReadonlyMap<number, readonly Block[]>;
  /** By object, the rules whose condition it fulfils. */
  readonly selected: ReadonlyMap<number, readonly string[]>;
  /** What the actions cost. */
  readonly cost: Cost;
}

export interface Block {
  /** `policy/rule`. */
  readonly rule: string;
  readonly reason: BlockReason;
}
