import type { EngineContext } from "#engine/context.ts";
import type { Execution } from "#engine/execution.ts";
import { applyPlan } from "#engine/planning.ts";
import { findRun, setRunControl } from "#engine/runs.ts";
import { stepControls } from "#engine/step-controls.ts";
import type { WorkerApi } from "#jobs/worker.ts";
import type { EngineApi } from "#model/engine-api.ts";

type RunPart = Pick<
  EngineApi,
  "apply" | "runs" | "run" | "controlRun" | "segment" | "segmentNames" | "stepControls"
>;

/** Runs: start, look at, control; and what workers ask about them. */
export function runPart(
  context: EngineContext,
  execution: Execution,
  workerApi: () => WorkerApi,
): RunPart {
  return {
    async apply(request) {
      const runtime = await execution.start(workerApi());
      const from = context.now();
      const run = await applyPlan(context, request);
      if (run.state !== "awaiting-approval") runtime.began(run, from);
      return run;
    },
    runs: () => context.index.runs(),
    run: (id) => findRun(context, id),
    async controlRun(id, control) {
      // Without a controller, this process is the one that goes on with the run.
      if (control === "run") await execution.start(workerApi());
      const run = await setRunControl(context, id, control);
      execution.wake();
      return run;
    },
    segment: (planCid, from, to) => context.index.segment(planCid, from, to),
    segmentNames: (planCid, from, to) => context.index.segmentNames(planCid, { from, to }),
    stepControls: (steps) => stepControls(context, execution.admission, steps),
  };
}
