import type { StepJobData } from "#jobs/step-job.ts";
import type { StepMemory } from "#jobs/step-memory.ts";
import type { SpanFacts } from "#model/tracing.ts";

/** What the span of a job says: which part of which run it was, and what became of it. */
export function stepFacts(data: StepJobData, memory: StepMemory): SpanFacts {
  const { runId, planCid, batch, attempt, step, policy, verb, source, target, victim } = data;
  const backend =
    step === "copy" ? target : step === "act" ? source : step === "remove" ? victim : null;
  return {
    run: runId,
    plan: planCid,
    batch,
    attempt,
    step,
    policy,
    action: verb,
    ...(source === null ? {} : { source }),
    ...(backend === null ? {} : { backend }),
    ...(backend === null ? {} : memory.tally()),
  };
}
