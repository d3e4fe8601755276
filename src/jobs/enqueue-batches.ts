import type { WorkGroup } from "#model/index-store.ts";
import type { Batch, Run } from "#model/run.ts";
import { batchFlow } from "#jobs/batch-flow.ts";
import { stepDataOf, type DispatchContext } from "#jobs/dispatch-context.ts";

/** Batches that no worker sees (tombstones) are committed at most so many at a time. */
const directBatchesMax = 20;

/**
 * Tops up every lane to its bound with batches of the running runs, the runs taking equal
 * shares of what is free. The rest of a plan stays in the index, however large it is.
 */
export async function enqueueBatches(
  runs: readonly Run[],
  context: DispatchContext,
): Promise<void> {
  const lanes = await laneDemand(runs, context);
  for (const [lane, demand] of lanes) {
    let free = context.queuedPerLaneMax - demand.queued;
    // Refills come in portions: a query for every finished batch would cost more than it gives.
    if (demand.queued > 0 && free < context.queuedPerLaneMax / 4) continue;
    for (const [position, runId] of demand.runs.entries()) {
      const share = Math.ceil(free / (demand.runs.length - position));
      if (share <= 0) break;
      const held = demand.held.get(runId);
      const batches = await context.index.pendingBatches(runId, lane, share, held);
      await enqueue(runId, batches, context);
      free -= batches.length;
    }
  }
}

interface LaneDemand {
  queued: number;
  /** Runs with batches to enqueue, the one with the fewest queued first. */
  runs: string[];
  /** Keys of the groups of work that are held back, by run. */
  readonly held: Map<string, string[]>;
}

async function laneDemand(
  runs: readonly Run[],
  context: DispatchContext,
): Promise<ReadonlyMap<string, LaneDemand>> {
  const lanes = new Map<string, LaneDemand>();
  const queuedOf = new Map<string, number>();
  // Only running runs count: the queued batches of a paused one must not hold up the others.
  for (const run of runs.filter((candidate) => candidate.state === "running")) {
    for (const group of await context.index.workGroups(run.id)) {
      const fresh: LaneDemand = { queued: 0, runs: [], held: new Map() };
      const demand = lanes.get(group.lane) ?? fresh;
      const key = `${group.lane}\n${run.id}`;
      demand.queued += group.queued;
      queuedOf.set(key, (queuedOf.get(key) ?? 0) + group.queued);
      lanes.set(group.lane, demand);
      if (group.pending === 0) continue;
      if (isHeld(group, context)) {
        demand.held.set(run.id, [...(demand.held.get(run.id) ?? []), group.key]);
      } else if (!demand.runs.includes(run.id)) demand.runs.push(run.id);
    }
  }
  context.waits.turn();
  for (const [lane, demand] of lanes) {
    const queued = (runId: string) => queuedOf.get(`${lane}\n${runId}`) ?? 0;
    demand.runs.sort((a, b) => queued(a) - queued(b));
  }
  return lanes;
}

/** Whether a rule objects; what it says is kept for those who ask why. */
function isHeld(group: WorkGroup, { admission, waits, now }: DispatchContext): boolean {
  const { key: _key, pending, queued: _queued, ...work } = group;
  const wait = admission.judge({ ...work, node: undefined }, now());
  if (wait !== undefined) waits.hold({ ...work, node: undefined }, wait, pending, now());
  return wait !== undefined;
}

async function enqueue(
  runId: string,
  batches: readonly Batch[],
  context: DispatchContext,
): Promise<void> {
  const { index, commit, store } = context;
  const direct = batches.filter((batch) => batch.target === null && batch.victim === null);
  for (const batch of direct.slice(0, directBatchesMax)) {
    await index.commitCopies(await stepDataOf(batch, index), [], commit.context());
  }
  const flowing = batches.filter((batch) => batch.target !== null || batch.victim !== null);
  if (flowing.length === 0) return;
  const flows = [];
  for (const batch of flowing) flows.push(batchFlow(await stepDataOf(batch, index)));
  // Marked first: after a crash in between, the batch has no flow, which repair notices. The
  // other way round it might be enqueued again while its first flow is half done.
  await index.markQueued(
    runId,
    flowing.map((batch) => batch.number),
  );
  // The queues of the lanes exist once somebody opened them: their settings bound the events.
  for (const flow of flows) for (const name of queuesOf(flow)) store.queue(name);
  await store.flows().addBulk(flows);
}

function queuesOf(flow: ReturnType<typeof batchFlow>): readonly string[] {
  return [flow.queueName, ...(flow.children ?? []).flatMap((child) => queuesOf(child))];
}
