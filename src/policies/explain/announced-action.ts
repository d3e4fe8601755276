import type { PlanAction } from "#model/plan.ts";

/** An action that the plan would have for an object, with backends by name. */
export interface AnnouncedAction {
  readonly policy: string;
  readonly verb: PlanAction["verb"];
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
  /** Where else than at its source and target a copy is that can be read. */
  readonly otherSources: readonly string[];
}
