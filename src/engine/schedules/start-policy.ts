import type { EngineContext } from "#engine/context.ts";
import { applyPlan } from "#engine/planning.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import type { Firing } from "#model/starter.ts";
import type { PolicyScope } from "#policies/plan/narrow-draft.ts";

export type StartResult = Pick<Firing, "outcome" | "message" | "runId">;

/** Has policies evaluated and applied; says what came of it and never throws. */
export type StartPolicy = (scope: PolicyScope, origin: string) => Promise<StartResult>;

/** Evaluates one policy and applies it, with every guard in force. */
export function policyStarter(
  context: EngineContext,
  execute: (run: Run, from: Date) => Promise<void>,
): StartPolicy {
  return async (scope, origin) => {
    try {
      const from = context.now();
      const run = await applyPlan(context, {}, { scope, start: { origin } });
      if (run === undefined) return { outcome: "nothing-to-do" };
      if (run.state === "awaiting-approval") {
        const message = `its plan awaits approval: thermocline approve ${run.id} --reason …`;
        return { outcome: "started", runId: run.id, message };
      }
      await execute(run, from);
      return { outcome: "started", runId: run.id };
    } catch (thrown) {
      const error = EngineError.from(thrown);
      const outcome = error.code === "REFUSED" ? "refused" : "failed";
      const hint = error.hint === undefined ? "" : `; ${error.hint}`;
      return { outcome, message: `${error.message}${hint}` };
    }
  };
}
