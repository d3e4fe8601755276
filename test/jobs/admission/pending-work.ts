import type { Work } from "#model/wait.ts";

/** A copy from hot to cold that no node has begun. */
export const pending: Work = {
  runId: "run",
  policy: "cool",
  verb: "replicate",
  source: "hot",
  target: "cold",
  victim: null,
  lane: "cold",
  node: undefined,
};
