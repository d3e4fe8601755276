import { reportedOutcomes } from "#jobs/copy-report.ts";
import type { CommitPort, StepContext, StepHandler } from "#jobs/step-context.ts";
import { EngineError } from "#model/engine-error.ts";
import { policiesUnknown } from "#model/policy-word.ts";
import { isDoneByWorkers } from "#model/run-order.ts";
import type { ActOutcome, CommitResult, CopyOutcome, RemoveOutcome } from "#model/run.ts";

/**
 * Writes what the step before it did into the index. After a copy (or, without one, to admit a
 * batch) the answer carries the permits for the removals that follow. Runs on the controller.
 */
const commit: StepHandler = {
  name: "commit",
  run: async (context: StepContext): Promise<CommitResult> => {
    const { data, commit: port } = context;
    if (port === undefined) throw new EngineError("INTERNAL", "commits run on the controller");
    const now = context.now();
    if (data.step === "removals") {
      const outcomes = await context.previous<readonly RemoveOutcome[]>();
      await port.index.commitRemovals(data, outcomes, now);
      await recordFindings(context, port, outcomes);
      return { permits: [], refusals: [] };
    }
    const outcomes = await outcomesBefore(context);
    // First what was found, so that a copy seen corrupt cannot justify a permit.
    await recordFindings(context, port, outcomes);
    const result = await port.index.commitCopies(data, outcomes, port.context());
    const [backend] = result.awaits ?? [];
    // The copies are recorded; the removals are judged again when the step is tried again.
    if (backend !== undefined) throw awaiting(backend);
    if (result.unknown !== undefined) throw policiesUnknown(`its removals wait: ${result.unknown}`);
    return result;
  },
};

export default commit;

/** What the step before did: copies, or actions for their own sake; nothing when there is none. */
async function outcomesBefore(
  context: StepContext,
): Promise<readonly (CopyOutcome | ActOutcome)[]> {
  const { data } = context;
  if (isDoneByWorkers(data.verb)) return await context.previous<readonly ActOutcome[]>();
  return data.target === null ? [] : reportedOutcomes(data, await context.previous());
}

function awaiting(backend: string): EngineError {
  const message = `its removals wait: a copy they rest on is on ${backend}, which does not answer`;
  return new EngineError("UNAVAILABLE", message, { details: { out: backend } });
}

/**
 * Once for a job, however often it waits and is tried again: a copy that was mended meanwhile must
 * not be found bad again by what was seen before.
 */
async function recordFindings(
  context: Pick<StepContext, "memory" | "now">,
  port: CommitPort,
  outcomes: readonly (CopyOutcome | ActOutcome | RemoveOutcome)[],
): Promise<void> {
  const findings = outcomes.flatMap((outcome) => outcome.findings ?? []);
  if (findings.length === 0) return;
  const { epoch = 0 } = port.context();
  if (context.memory.hasRecordedFindings(epoch)) return;
  await port.index.recordEvidence(findings, context.now());
  context.memory.findingsRecorded(epoch);
}
