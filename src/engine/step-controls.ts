import type { EngineContext } from "#engine/context.ts";
import type { CancelledWork } from "#index/control-store.ts";
import type { Admission } from "#jobs/admission.ts";
import { laneOf } from "#jobs/lanes.ts";
import { controlOf } from "#jobs/step-controls.ts";
import type { RunState, StepControl, StepScope } from "#model/run.ts";
import type { Wait } from "#model/wait.ts";

/** What workers are to do with active steps. A run nobody knows is not worked on. */
export async function stepControls(
  { index, now }: EngineContext,
  admission: Admission,
  steps: readonly StepScope[],
): Promise<readonly StepControl[]> {
  const at = now();
  await admission.refresh(at);
  const runs = new Map<string, RunState | undefined>();
  for (const runId of new Set(steps.map((step) => step.runId))) {
    runs.set(runId, (await index.run(runId))?.state);
  }
  const cancelled = await index.controls.cancelledWork();
  return steps.map((step) => {
    const state = runs.get(step.runId);
    if (state === undefined) return { control: "cancel", reason: "nobody knows the run" };
    const control = controlOf(state);
    if (control !== "run") return { control, reason: `the run is ${state}` };
    const end = cancelled.find((work) => isSameWork(work, step));
    if (end !== undefined) return { control: "cancel", reason: end.reason };
    const wait = admission.judge({ ...step, lane: laneOf(step) }, at);
    return wait === undefined ? { control: "run" } : pauseFor(wait);
  });
}

function pauseFor({ message, until, stop }: Wait): StepControl {
  return {
    control: "pause",
    reason: message,
    ...(until === undefined ? {} : { until }),
    ...(stop === undefined ? {} : { stop }),
  };
}

function isSameWork(work: CancelledWork, step: StepScope): boolean {
  const { runId, policy, verb, source, target, victim } = step;
  return (
    work.runId === runId &&
    work.policy === policy &&
    work.verb === verb &&
    work.source === source &&
    work.target === target &&
    work.victim === victim
  );
}
