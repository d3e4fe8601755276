import type { DispatchContext } from "#jobs/dispatch-context.ts";
import type { LaneClaim } from "#jobs/lane-turns.ts";
import type { WorkGroup } from "#model/index-store.ts";
import type { Run } from "#model/run.ts";

/** What is queued on a lane, and who has more for it. */
export interface LaneDemand {
  readonly lane: string;
  queued: number;
  readonly claims: readonly LaneClaim[];
  /** Groups of pending batches that nothing but the lane itself keeps waiting. */
  readonly ready: readonly WorkGroup[];
  /** Keys of the groups of work that are held back, by run. */
  readonly held: ReadonlyMap<string, readonly string[]>;
}

/** Looks at all work of the running runs; what may not go on is noted with the reason. */
export async function laneDemands(
  runs: readonly Run[],
  context: DispatchContext,
): Promise<readonly LaneDemand[]> {
  const lanes = new Map<string, Demand>();
  // Only running runs count: the queued batches of a paused one must not hold up the others.
  for (const run of runs.filter((candidate) => candidate.state === "running")) {
    for (const group of await context.index.workGroups(run.id)) {
      const demand = lanes.get(group.lane) ?? new Demand(group.lane);
      lanes.set(group.lane, demand);
      demand.add(run, group, context);
    }
  }
  return [...lanes.values()];
}

class Demand implements LaneDemand {
  readonly lane: string;
  queued = 0;
  readonly ready: WorkGroup[] = [];
  readonly held = new Map<string, string[]>();
  readonly #claims = new Map<string, { runId: string; priority: number } & Counts>();

  constructor(lane: string) {
    this.lane = lane;
  }

  get claims(): readonly LaneClaim[] {
    return [...this.#claims.values()].filter((claim) => claim.ready > 0);
  }

  add(run: Run, group: WorkGroup, context: DispatchContext): void {
    const { id: runId, priority } = run;
    const claim = this.#claims.get(runId) ?? { runId, priority, queued: 0, ready: 0 };
    this.#claims.set(runId, claim);
    const held = isHeld(group, context);
    // What was handed out and is held steps aside: it must not keep others from the lane.
    if (!held) this.queued += group.queued;
    claim.queued += group.queued;
    if (group.pending === 0) return;
    if (held) {
      this.held.set(runId, [...(this.held.get(runId) ?? []), group.key]);
      return;
    }
    noteDependency(group, context);
    claim.ready += group.pending - group.blocked;
    if (group.pending > group.blocked) this.ready.push(group);
  }
}

interface Counts {
  queued: number;
  ready: number;
}

/** Whether a rule objects; what it says is kept for those who ask why. */
function isHeld(group: WorkGroup, { admission, waits, now }: DispatchContext): boolean {
  const work = { ...workOf(group), node: undefined };
  const wait = admission.judge(work, now());
  if (wait !== undefined && group.pending > 0) waits.hold(work, wait, group.pending, now());
  return wait !== undefined;
}

function noteDependency(group: WorkGroup, { waits, now }: DispatchContext): void {
  if (group.blocked === 0) return;
  const message = "copies of the same objects that this run makes must exist first";
  const wait = { reason: "dependency", message } as const;
  waits.hold({ ...workOf(group), node: undefined }, wait, group.blocked, now());
}

/** The group without its counts. */
export function workOf(group: WorkGroup) {
  const { key: _key, pending: _pending, blocked: _blocked, queued: _queued, ...work } = group;
  return work;
}
