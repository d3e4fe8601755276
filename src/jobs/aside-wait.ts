import type { LaneJob } from "#jobs/queue-view.ts";
import type { Wait } from "#model/wait.ts";

/** Why a job stepped aside, as it says itself; undefined when it says nothing. */
export function asideWait({ remark, reason }: LaneJob): Wait | undefined {
  if (remark === undefined) return undefined;
  const message = `its jobs stepped aside and look again soon: ${remark}`;
  return {
    reason: reason ?? "outage",
    message,
    ...(reason === "outage" ? { remedy: "thermocline backends" } : {}),
  };
}
