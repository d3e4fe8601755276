import { outsideLane } from "#model/run-order.ts";
import type { Wait } from "#model/wait.ts";

/** Why work waits on a lane that no living worker serves. */
export function noWorkerWait(lane: string): Wait {
  if (lane === outsideLane) {
    return {
      reason: "role",
      message: "no living worker has webhooks, commands or exports in its configuration",
      remedy: "configure them there: see docs/policy-verbs.md",
    };
  }
  return {
    reason: "role",
    message: `no living worker reaches the backend ${lane}`,
    remedy: "start a worker that can open it: thermocline worker",
  };
}
