import type { EngineContext } from "#engine/context.ts";
import { decideApproval } from "#engine/decide-approval.ts";
import { undoRun } from "#engine/undo-run.ts";
import type { Execution } from "#engine/execution.ts";
import type { WorkerApi } from "#jobs/worker.ts";
import type { EngineApi } from "#model/engine-api.ts";

type ApprovalPart = Pick<EngineApi, "approvals" | "decideApproval" | "undoRun">;

/** What becomes of plans: wait for a person, be decided about, be undone. */
export function approvalPart(
  context: EngineContext,
  execution: Execution,
  workerApi: () => WorkerApi,
): ApprovalPart {
  const { index, now } = context;
  return {
    async approvals() {
      await index.controls.approvals.expire(now());
      return index.controls.approvals.all();
    },
    async decideApproval(request) {
      if (request.verdict === "reject") return decideApproval(context, request);
      const runtime = await execution.start(workerApi());
      const from = now();
      const run = await decideApproval(context, request);
      if (run.state === "running") runtime.began(run, from);
      return run;
    },
    async undoRun(request) {
      if (request.dryRun === true) return undoRun(context, request);
      const runtime = await execution.start(workerApi());
      const from = now();
      const report = await undoRun(context, request);
      if (report.started !== undefined) runtime.began(report.started, from);
      return report;
    },
  };
}
