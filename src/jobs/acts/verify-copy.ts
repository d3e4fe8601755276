import { throwIfOut } from "#jobs/backend-outage.ts";
import { strongestCheck } from "#jobs/deliver.ts";
import { countedRetries } from "#jobs/measured-action.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ActOutcome } from "#model/run.ts";

/**
 * Has a backend check a copy as strongly as it can. Whatever was found, the check was done: a bad
 * copy is a finding, for which others make a new one. Throws only when stopped, or when the
 * backend is out.
 */
export async function verifyCopy(
  { sequence, object }: SegmentAction,
  context: StepContext,
): Promise<ActOutcome> {
  const backend = context.data.source ?? "";
  const driver = context.drivers.get(backend);
  if (driver === undefined) {
    throw new EngineError("INTERNAL", `this node has no driver for backend ${backend}`);
  }
  const { signal } = context;
  try {
    const evidence = await runWithRetries(
      () => strongestCheck(object, { backend, driver }, { signal }),
      countedRetries(context, backend),
    );
    const message = `found ${evidence.finding}: ${evidence.method}`;
    return { sequence, outcome: "done", message, findings: [evidence] };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = EngineError.from(thrown);
    await throwIfOut(backend, driver, error, false);
    return { sequence, outcome: "failed", code: error.code, message: error.message };
  }
}
