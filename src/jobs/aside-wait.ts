import type { LaneJob } from "#jobs/queue-view.ts";
import { outsideLane } from "#model/run-order.ts";
import type { Wait } from "#model/wait.ts";

/** Why a job stepped aside, as it says itself; undefined when it says nothing. */
export function asideWait({ remark, reason, step }: LaneJob): Wait | undefined {
  if (remark === undefined) return undefined;
  const message = `its jobs stepped aside and look again soon: ${remark}`;
  return {
    reason: reason ?? "outage",
    message,
    ...(reason === "outage" && step.lane !== outsideLane ? { remedy: "thermocline backends" } : {}),
  };
}
