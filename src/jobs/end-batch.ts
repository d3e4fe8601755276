import type { ActionEnd, Batch } from "#model/run.ts";
import { stepDataOf, type DispatchContext } from "#jobs/dispatch-context.ts";
import { quietAfterMs } from "#jobs/job-lock.ts";
import { settlePermit } from "#jobs/settle-permits.ts";

/**
 * Ends the actions of a batch that no flow will end. Permits it was given already may have been
 * used before its worker was lost: each is settled by asking the backend, once a call that this
 * worker had under way must have ended. Until then the batch stays as it is; call again.
 * `mayRemove` is false when no worker ever took its removals: then nothing is under way.
 */
export async function endBatch(
  batch: Batch,
  end: ActionEnd,
  context: DispatchContext,
  mayRemove = true,
): Promise<void> {
  const key = `${batch.runId}/${batch.number}/${batch.attempt}`;
  const freeSince = context.freeSince.get(key) ?? performance.now();
  context.freeSince.set(key, freeSince);
  const { index, commit } = context;
  const step = await stepDataOf(batch, index);
  const outcomes = Array.from({ length: batch.to - batch.from }, (_, offset) => ({
    sequence: batch.from + offset,
    ...end,
  }));
  const { permits } = await index.commitCopies(step, outcomes, commit.context());
  const isQuiet = !mayRemove || performance.now() - freeSince >= quietAfterMs;
  if (permits.length > 0 && !isQuiet) return;
  for (const permit of permits) await settlePermit(permit, context);
  // Where a permit was not used, its action is open now.
  if (permits.length > 0) await index.commitCopies(step, outcomes, commit.context());
  if (batch.victim !== null) await index.commitRemovals(step, [], context.now());
  context.freeSince.delete(key);
}
