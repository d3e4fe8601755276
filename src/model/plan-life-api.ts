import type { Approval, DecisionRequest } from "#model/approval.ts";
import type { PlanDiff, PlanDiffRequest } from "#model/plan-diff.ts";
import type { Run } from "#model/run.ts";
import type { UndoReport, UndoRequest } from "#model/undo.ts";

/** What becomes of plans once they are made. */
export interface PlanLifeApi {
  /** Plans that wait for a person, and those that did; the newest first. */
  approvals(): Promise<readonly Approval[]>;
  /** Approves or rejects one; its run begins with the last approval. */
  decideApproval(request: DecisionRequest): Promise<Run>;
  /** What two plans, or the plans of two versions of the policies, do differently. */
  diffPlans(request: PlanDiffRequest): Promise<PlanDiff>;
  /** Makes again the copies that a run gave up, as a run of its own. */
  undoRun(request: UndoRequest): Promise<UndoReport>;
}
