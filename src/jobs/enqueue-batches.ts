import type { FlowJob } from "bullmq";
import type { Batch, Run } from "#model/run.ts";
import { batchFlow } from "#jobs/batch-flow.ts";
import { stepDataOf, type DispatchContext } from "#jobs/dispatch-context.ts";
import { type LaneDemand, laneDemands, workOf } from "#jobs/lane-demand.ts";

/** Batches that no worker sees (tombstones) are committed at most so many at a time. */
const directBatchesMax = 20;
/** The first batches begin while the others are read. */
const flowsAtOnce = 10;

/**
 * Tops up every lane to its bound with batches of the running runs: the highest priority first,
 * equal shares among equals, plan order within a run. The rest of a plan stays in the index,
 * however large it is, and every batch that waits does so for a reason that is noted.
 */
export async function enqueueBatches(
  runs: readonly Run[],
  context: DispatchContext,
): Promise<void> {
  try {
    for (const demand of await laneDemands(runs, context)) {
      const taken = await fillLane(demand, context);
      noteFullLane(demand, taken, context);
    }
  } finally {
    context.waits.turn();
  }
}

/** How many batches of each run were enqueued. */
async function fillLane(
  demand: LaneDemand,
  context: DispatchContext,
): Promise<ReadonlyMap<string, number>> {
  const { lane, claims, queued, held } = demand;
  const taken = new Map<string, number>();
  const free = context.queuedPerLaneMax - queued;
  // Refills come in portions: a query for every finished batch would cost more than it gives.
  if (queued > 0 && free < context.queuedPerLaneMax / 4) return taken;
  const shares = context.turns.share(lane, free, claims, context.now().getTime());
  for (const [runId, share] of shares) {
    const pending = await context.index.pendingBatches(runId, lane, share, held.get(runId));
    const batches = context.admission.admit(pending, context.now());
    await enqueue(runId, batches, context);
    taken.set(runId, batches.length);
  }
  return taken;
}

/** What is left although nothing else holds it back waits for a place on the lane. */
function noteFullLane(
  { lane, ready, queued }: LaneDemand,
  taken: ReadonlyMap<string, number>,
  { waits, laneWait, now }: DispatchContext,
): void {
  const before = [...taken.values()].reduce((sum, count) => sum + count, queued);
  const message = `${before} batches are before it on the lane ${lane}`;
  const wait = laneWait(lane) ?? { reason: "concurrency", message };
  const rest = new Map(taken);
  for (const group of ready) {
    const count = group.pending - group.blocked;
    const enqueued = Math.min(count, rest.get(group.runId) ?? 0);
    rest.set(group.runId, (rest.get(group.runId) ?? 0) - enqueued);
    if (count > enqueued) {
      waits.hold({ ...workOf(group), node: undefined }, wait, count - enqueued, now());
    }
  }
}

async function enqueue(
  runId: string,
  batches: readonly Batch[],
  context: DispatchContext,
): Promise<void> {
  const { index, commit } = context;
  const direct = batches.filter((batch) => batch.target === null && batch.victim === null);
  for (const batch of direct.slice(0, directBatchesMax)) {
    await index.commitCopies(await stepDataOf(batch, index), [], commit.context());
  }
  const flowing = batches.filter((batch) => batch.target !== null || batch.victim !== null);
  for (let at = 0; at < flowing.length; at += flowsAtOnce) {
    await enqueueFlows(runId, flowing.slice(at, at + flowsAtOnce), context);
  }
}

async function enqueueFlows(
  runId: string,
  batches: readonly Batch[],
  { index, store }: DispatchContext,
): Promise<void> {
  const flows: FlowJob[] = await Promise.all(
    batches.map(async (batch) => batchFlow(await stepDataOf(batch, index))),
  );
  // Marked first: after a crash in between, the batch has no flow, which repair notices. The
  // other way round it might be enqueued again while its first flow is half done.
  await index.markQueued(
    runId,
    batches.map((batch) => batch.number),
  );
  // The queues of the lanes exist once somebody opened them: their settings bound the events.
  for (const flow of flows) for (const name of queuesOf(flow)) store.queue(name);
  const facts = { batches: flows.length, "batch.first": batches[0]?.number ?? 0 };
  await store.tracing.within(runId, "enqueue", facts, () => store.flows().addBulk(flows));
}

function queuesOf(flow: ReturnType<typeof batchFlow>): readonly string[] {
  return [flow.queueName, ...(flow.children ?? []).flatMap((child) => queuesOf(child))];
}
