import type { AdmissionRule } from "#jobs/admission.ts";
import { outsideLane } from "#model/run-order.ts";
import { indexQueue } from "#jobs/lanes.ts";

/** New work waits until a living node reaches the backend that it begins on. */
export function roleRule(
  reached: (now: Date) => Promise<ReadonlySet<string>> | ReadonlySet<string>,
): AdmissionRule {
  let lanes: ReadonlySet<string> = new Set();
  return {
    name: "role",
    refresh: async (now) => {
      lanes = await reached(now);
    },
    judge: ({ lane, node }) => {
      if (node !== undefined || lane === indexQueue || lanes.has(lane)) return undefined;
      if (lane === outsideLane) {
        return {
          reason: "role",
          message: "no living worker has webhooks or commands in its configuration",
          remedy: "configure them there: see docs/policy-verbs.md",
        };
      }
      return {
        reason: "role",
        message: `no living worker reaches the backend ${lane}`,
        remedy: "start a worker that can open it: thermocline worker",
      };
    },
  };
}
