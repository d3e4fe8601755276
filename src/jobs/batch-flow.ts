import type { FlowJob } from "bullmq";
import { isDoneByWorkers } from "#model/run-order.ts";
import type { Batch, StepData } from "#model/run.ts";
import { indexQueue, laneOf, laneQueue } from "#jobs/lanes.ts";
import { stepJobId, type Step, type StepJobData } from "#jobs/step-job.ts";

/** A step that throws (a defect, a lost index) is tried this often before its flow fails. */
const attemptsMax = 3;
const backoffDelayMs = 500;
/** Finished flows stay visible for a little while; what they did is in the ledger. */
const finishedFlowsKept = 20;
/** A trace of more batches than this nobody can look at: later ones have no spans. */
const tracedBatchesMax = 1_000;

/** The steps of a batch in the order in which they run. */
export function stepsOf(batch: Pick<Batch, "verb" | "target" | "victim">): readonly Step[] {
  if (isDoneByWorkers(batch.verb)) return ["act", "copies"];
  const copying: Step[] = batch.target === null ? [] : ["copy"];
  const removing: Step[] = batch.victim === null ? [] : ["remove", "removals"];
  return [...copying, "copies", ...removing];
}

/** The job whose end is the end of the batch. */
export function rootJobId(data: StepData): string {
  return stepJobId(data, stepsOf(data).at(-1) ?? "copies");
}

/** One batch as a flow: each step is the child of the one that follows it. */
export function batchFlow(data: StepData): FlowJob {
  let flow: FlowJob | undefined;
  const names = stepsOf(data);
  for (const step of names) {
    const last = step === names.at(-1);
    const jobData: StepJobData = { ...data, step };
    flow = {
      name: step,
      queueName: stepQueue(data, step),
      data: jobData,
      opts: {
        jobId: stepJobId(data, step),
        attempts: attemptsMax,
        backoff: { type: "exponential", delay: backoffDelayMs },
        // A finished child lives on in its parent, which holds its result.
        removeOnComplete: last ? { count: finishedFlowsKept } : true,
        removeOnFail: { count: finishedFlowsKept },
        ...(last ? {} : { failParentOnFailure: true }),
        ...(data.batch < tracedBatchesMax ? {} : { telemetry: { omitContext: true } }),
      },
      ...(flow === undefined ? {} : { children: [flow] }),
    };
  }
  if (flow === undefined) throw new TypeError("a batch has at least one step");
  return flow;
}

/** Whether nothing but the index is needed to end the batch (tombstones, tags). */
export function isOfIndex(batch: Pick<Batch, "verb" | "target" | "victim">): boolean {
  return stepsOf(batch).length === 1;
}

/** The queue of one step: the lane of the backend it acts on, or the index. */
export function stepQueue(
  data: Pick<Batch, "verb" | "source" | "target" | "victim">,
  step: Step,
): string {
  if (step === "act") return laneQueue(laneOf(data));
  if (step === "copy" && data.target !== null) return laneQueue(data.target);
  if (step === "remove" && data.victim !== null) return laneQueue(data.victim);
  return indexQueue;
}
