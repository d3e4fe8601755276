import type { AdmissionRule } from "#jobs/admission.ts";
import { indexQueue } from "#jobs/lanes.ts";
import { noWorkerWait } from "#jobs/no-worker-wait.ts";

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
      return noWorkerWait(lane);
    },
  };
}
