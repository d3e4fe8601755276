import type { EngineContext } from "#engine/context.ts";
import type { BatchRecord } from "#model/record-batch.ts";

/** Tells batches that are not given up: rows of plans whose runs go on, and of kept snapshots. */
export async function batchesInUse({
  index,
  snapshots,
}: {
  readonly index: Pick<EngineContext["index"], "runs">;
  readonly snapshots: Pick<EngineContext["snapshots"], "store">;
}): Promise<(batch: BatchRecord) => boolean> {
  const open = (await index.runs()).filter(({ endedAt }) => endedAt === undefined);
  const plans = new Set(open.map(({ planCid }) => planCid));
  // A damaged one may be mended yet.
  const { snapshots: whole, damaged } = await snapshots.store.list();
  const kept = new Set([...whole.map(({ cid }) => cid), ...damaged]);
  return ({ tags }) => plans.has(tags["plan"] ?? "") || kept.has(tags["snapshot"] ?? "");
}
