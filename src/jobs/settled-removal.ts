import { throwIfOut } from "#jobs/backend-outage.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { RemovalPermit } from "#model/removal.ts";
import type { RemovalEnd, RemoveOutcome } from "#model/run.ts";

/** A removal that a permit allows, and the action it is for. */
export interface Removal {
  readonly permit: RemovalPermit;
  readonly action: SegmentAction;
}

/**
 * How an action ends whose removal this worker did not make. An earlier worker may have made it
 * and died before saying so: the backend is asked, so that the index never believes in a copy
 * that is gone. When it cannot be asked, the step throws and is tried again.
 */
export async function settledRemoval(
  { permit, action }: Removal,
  end: RemovalEnd,
  victim: Driver,
  context: StepContext,
): Promise<RemoveOutcome> {
  const signal = unstoppable();
  await context.lock.quiet();
  const found = await runWithRetries(() => victim.stat(action.object, { signal }), {
    signal,
  }).catch(async (thrown: unknown) => {
    const error = EngineError.from(thrown);
    await throwIfOut(permit.backend, victim, error, false);
    throw error;
  });
  if (found !== undefined) return { sequence: action.sequence, ...end };
  const evidence = {
    backend: permit.backend,
    cid: permit.cid,
    finding: "absent",
    confidence: "listed",
    method: "looked for it after a removal whose outcome was unknown",
    checkedAt: context.now().toISOString(),
    bytesRead: 0,
  } as const;
  const kept = context.memory.evidenceFor(permit.cid);
  const proof = { permitId: permit.id, evidence: [...kept, evidence] };
  return { sequence: action.sequence, outcome: "done", result: "absent", proof };
}

/** Asking what happened goes on although the run was cancelled. */
export function unstoppable(): AbortSignal {
  return new AbortController().signal;
}
