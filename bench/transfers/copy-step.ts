import type { Job } from "bullmq";
import copy from "#jobs/handlers/copy.ts";
import { defaultStepSettings } from "#jobs/step-context.ts";
import type { StepJobData } from "#jobs/step-job.ts";
import { StepMemory } from "#jobs/step-memory.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { noMeasurements } from "#model/metric.ts";

const batchObjects = 1_000;

/** Copies small objects as the steps of a run do, batch by batch, without queue and index. */
export async function copyInSteps(
  objects: readonly ObjectRef[],
  source: Driver,
  target: Driver,
): Promise<void> {
  for (let from = 0; from < objects.length; from += batchObjects) {
    await copyBatch(objects.slice(from, from + batchObjects), source, target);
  }
}

async function copyBatch(
  objects: readonly ObjectRef[],
  source: Driver,
  target: Driver,
): Promise<void> {
  const data = { verb: "replicate", source: "source", target: "target" } as StepJobData;
  const job = { data, updateData: letGo, updateProgress: letGo } as unknown as Job<StepJobData>;
  const memory = await StepMemory.of(job);
  const { signal } = new AbortController();
  await copy.run({
    data,
    actions: objects.map((object, at) => ({ sequence: at, objectId: at, object })),
    drivers: new Map([
      ["source", source],
      ["target", target],
    ]),
    memory,
    lock: { confirm: () => Promise.resolve(), quiet: () => undefined, lost: signal } as never,
    signal,
    drain: signal,
    settings: defaultStepSettings,
    outside: undefined,
    measurements: noMeasurements,
    now: () => new Date(),
    permitNow: () => new Date(),
    previous: () => Promise.reject(new Error("it is the first step")),
    commit: undefined,
  });
  const failed = memory.outcomes().find(({ outcome }) => outcome !== "done");
  if (failed !== undefined) throw new Error(JSON.stringify(failed));
}

/** What a job would keep. */
function letGo(): Promise<void> {
  return Promise.resolve();
}
