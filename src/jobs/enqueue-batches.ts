import type { FlowJob } from "bullmq";
import type { Batch, Run } from "#model/run.ts";
import { batchFlow, isOfIndex } from "#jobs/batch-flow.ts";
import { stepsDataOf, type DispatchContext } from "#jobs/dispatch-context.ts";
import { type LaneDemand, laneDemands, workOf } from "#jobs/lane-demand.ts";
import { indexQueue } from "#jobs/lanes.ts";

/** Batches that no worker sees (tombstones, tags) are committed here, so many between two looks. */
const directBatchesMax = 20;
/** What a lane gets before the others get theirs: its workers begin, whoever else is served. */
const firstFlows = 4;
/** The rest comes in portions that are read together. */
const flowsAtOnce = 50;

/** So much of a lane is refilled at once: a query for every finished batch would cost more. */
export const refillShare = 1 / 4;

/** Batches of a run that were chosen for a lane. */
interface Portion {
  readonly runId: string;
  readonly batches: readonly Batch[];
}

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
    const portions: Portion[] = [];
    for (const demand of await laneDemands(runs, context)) {
      const chosen = await chooseForLane(demand, context);
      portions.push(...chosen);
      noteFullLane(demand, chosen, context);
    }
    for (const { runId, batches } of portions) {
      await enqueue(runId, batches.slice(0, firstFlows), context);
    }
    for (const { runId, batches } of portions) {
      for (let at = firstFlows; at < batches.length; at += flowsAtOnce) {
        await enqueue(runId, batches.slice(at, at + flowsAtOnce), context);
      }
    }
  } finally {
    context.waits.turn();
  }
}

/** The batches of each run that come next on a lane. */
async function chooseForLane(
  demand: LaneDemand,
  context: DispatchContext,
): Promise<readonly Portion[]> {
  const { lane, claims, queued, held } = demand;
  const free = context.queuedPerLaneMax - queued;
  if (queued > 0 && free < context.queuedPerLaneMax * refillShare) return [];
  const chosen: Portion[] = [];
  const shares = context.turns.share(lane, free, claims, context.now().getTime());
  for (const [runId, share] of shares) {
    const most = lane === indexQueue ? Math.min(share, directBatchesMax) : share;
    const pending = await context.index.pendingBatches(runId, lane, most, held.get(runId));
    const batches = context.admission.admit(pending, context.now());
    chosen.push({ runId, batches });
  }
  return chosen;
}

/** What is left although nothing else holds it back waits for a place on the lane. */
function noteFullLane(
  { lane, ready, queued }: LaneDemand,
  chosen: readonly Portion[],
  { waits, laneWait, now }: DispatchContext,
): void {
  const before = chosen.reduce((sum, { batches }) => sum + batches.length, queued);
  const message = `${before} batches are before it on the lane ${lane}`;
  const wait = laneWait(lane) ?? { reason: "concurrency", message };
  const rest = new Map(chosen.map(({ runId, batches }) => [runId, batches.length]));
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
  const direct = batches.filter(isOfIndex);
  for (const step of await stepsDataOf(direct, index)) {
    await index.commitCopies(step, [], commit.context());
  }
  const flowing = batches.filter((batch) => !isOfIndex(batch));
  if (flowing.length > 0) await enqueueFlows(runId, flowing, context);
}

async function enqueueFlows(
  runId: string,
  batches: readonly Batch[],
  { index, store }: DispatchContext,
): Promise<void> {
  const flows: FlowJob[] = (await stepsDataOf(batches, index)).map((step) => batchFlow(step));
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
