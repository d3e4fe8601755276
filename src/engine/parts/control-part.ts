import type { EngineContext } from "#engine/context.ts";
import { control, holdObjects } from "#engine/controls.ts";
import type { Execution } from "#engine/execution.ts";
import { requireChoice, retry } from "#engine/retry.ts";
import { findRun } from "#engine/runs.ts";
import { why } from "#engine/why/why.ts";
import type { WorkerApi } from "#jobs/worker.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ControlPart = Pick<
  EngineApi,
  "control" | "pauses" | "setPriority" | "holdObjects" | "retry" | "why"
>;

/** What people order about work under way, and about many objects at once. */
export function controlPart(
  context: EngineContext,
  execution: Execution,
  workerApi: () => WorkerApi,
  nodes: EngineApi["nodes"],
): ControlPart {
  const { index, now } = context;
  return {
    async control(request) {
      // Without a controller, this process is the one that goes on with a resumed run.
      if (request.verb === "resume" && request.scope === "run" && request.dryRun !== true) {
        await execution.start(workerApi());
      }
      return control(context, execution, request);
    },
    pauses: () => index.controls.pauses(),
    async setPriority(id, priority) {
      const run = await findRun(context, id);
      await index.controls.setPriority(run.id, priority, now());
      execution.wake();
      return findRun(context, run.id);
    },
    async retry(request) {
      requireChoice(request);
      if (request.dryRun === true) return retry(context, request);
      const runtime = await execution.start(workerApi());
      const report = await retry(context, request);
      runtime.wake();
      return report;
    },
    why: (reference) => why(context, execution, nodes, reference),
    holdObjects: (request) => holdObjects(context, request),
  };
}
