import type { DispatchIndex } from "#jobs/dispatch-context.ts";
import type { IndexStore, NewObject, PutSummary } from "#model/index-store.ts";
import type { CopyRequirement, Plan, Verb } from "#model/plan.ts";
import type { Run } from "#model/run.ts";

/** An action somebody wants; objects by number, backends by id. */
export interface WantedAction {
  readonly verb: Verb;
  readonly object: number;
  readonly source: number | null;
  readonly target: number | null;
  readonly victim: number | null;
  readonly requirements: readonly CopyRequirement[];
}

/** The index of a simulation: what the controller uses, what operators do, what checks read. */
export interface SimulatedIndex
  extends
    DispatchIndex,
    Pick<
      IndexStore,
      "run" | "segment" | "setRunState" | "hold" | "release" | "reconcile" | "close"
    > {
  /** Begins a run of a plan with these actions, in their order. */
  begin(actions: readonly WantedAction[], now: Date): Promise<Run>;
  /** What policies want now; only the real index can be planned over. */
  plan?(minimumCopies: number, now: Date): Promise<Plan>;
  beginPlan?(plan: Plan, now: Date): Promise<Run>;
  putObjects(objects: readonly NewObject[], now: Date): Promise<PutSummary>;
  /** Somebody reads the whole of an object. */
  read(object: number, now: Date): Promise<unknown>;
  /** All objects, as far as it matters to a delete rule. */
  marked(): Promise<readonly Marked[]>;
  facts(): Promise<IndexFacts>;
}

/** An object and its mark for deletion. */
export interface Marked {
  readonly object: number;
  /** Milliseconds since 1970; undefined while it is not marked. */
  readonly since: number | undefined;
  readonly held: boolean;
  /** Backends with a present copy, by id. */
  readonly copies: readonly number[];
}

/** What the index says at the end; objects by id, times left out. */
export interface IndexFacts {
  readonly copies: readonly CopyRow[];
  /** Outcomes in the ledger, one entry each. */
  readonly outcomes: readonly OutcomeRow[];
  /** Permits in the ledger, by their order of recording. */
  readonly permits: readonly { readonly entry: number; readonly permit: string }[];
  readonly proofs: readonly { readonly entry: number; readonly permit: string }[];
  /** Figures that the index keeps and that do not agree with their detail. */
  readonly disagreements: readonly string[];
}

export interface CopyRow {
  readonly object: number;
  readonly backend: string;
  readonly state: string;
  readonly confidence: string;
}

export interface OutcomeRow {
  readonly run: string;
  readonly sequence: number;
  readonly outcome: string;
  readonly reason: string;
}
