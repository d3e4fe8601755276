import type { ActionEnd, Batch } from "#model/run.ts";
import { stepDataOf, type DispatchContext } from "#jobs/dispatch-context.ts";
import { settlePermit } from "#jobs/settle-permits.ts";

/**
 * Ends the actions of a batch that no flow will end. Permits it was given already may have been
 * used before its worker was lost: each is settled by asking the backend.
 */
export async function endBatch(
  batch: Batch,
  end: ActionEnd,
  context: DispatchContext,
): Promise<void> {
  const { index, commit } = context;
  const step = await stepDataOf(batch, index);
  const outcomes = Array.from({ length: batch.to - batch.from }, (_, offset) => ({
    sequence: batch.from + offset,
    ...end,
  }));
  const { permits } = await index.commitCopies(step, outcomes, commit.context());
  for (const permit of permits) await settlePermit(permit, context);
  if (batch.victim !== null) await index.commitRemovals(step, [], context.now());
}
