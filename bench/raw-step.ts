import { batchObjectsMax, type StepData } from "#model/run.ts";

/** The lanes that benches fill. */
export const lanes = ["cold-1", "cold-2", "cold-3"] as const;

/** What the jobs of a batch carry, without an index that knows it. */
export function rawStep(runId: string, batch: number): StepData {
  return {
    runId,
    planCid: "bafkreib3yoto4o2bz5ybpjeq4ubb4ffyjbhmvtc4xs5pn5vmbfrlpedoja",
    segmentCid: "bafkreib3yoto4o2bz5ybpjeq4ubb4ffyjbhmvtc4xs5pn5vmbfrlpedoja",
    attempt: 0,
    batch,
    from: batch * batchObjectsMax,
    to: (batch + 1) * batchObjectsMax,
    policy: "bench",
    verb: "replicate",
    source: "hot",
    target: lanes[batch % lanes.length] ?? "",
    victim: null,
  };
}
