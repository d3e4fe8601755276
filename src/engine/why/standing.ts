import { indexQueue } from "#jobs/lanes.ts";
import type { LaneJob, LaneView } from "#jobs/queue-view.ts";
import type { Pause } from "#model/control.ts";
import type { NodeState } from "#model/engine-api.ts";
import type { HeldWork, Wait, Work } from "#model/wait.ts";

/** What is known of the installation when somebody asks why. */
export interface Standing {
  /** Ids of paused runs. */
  readonly pausedRuns: ReadonlySet<string>;
  readonly pauses: readonly Pause[];
  readonly held: readonly HeldWork[];
  readonly nodes: readonly NodeState[];
  /** Lanes as the queue store has them; a text when it does not answer. */
  readonly lanes: ReadonlyMap<string, LaneView | string>;
  /** Commits that stepped aside, as those of removals that rest on a backend that is out. */
  readonly commits: readonly LaneJob[];
  /** Backends that do not answer, with what they said instead. */
  readonly silent: ReadonlyMap<string, string>;
  /** Whether this process dispatches work at all. */
  readonly dispatches: boolean;
  /** The first rule that objects to this work. */
  readonly judge: (work: Work) => Wait | undefined;
}

/** Jobs of this work with workers, on all of its lanes. */
export function activeJobs(work: Work, standing: Standing): readonly LaneJob[] {
  return lanesOf(work, standing)
    .flatMap(({ active }) => active)
    .filter(({ data }) => isSameWork(data, work));
}

/** Jobs of this work that stepped aside, its commits too. */
export function asideJobs(work: Work, standing: Standing): readonly LaneJob[] {
  return [...lanesOf(work, standing).flatMap(({ delayed }) => delayed), ...standing.commits].filter(
    ({ data }) => isSameWork(data, work),
  );
}

/** The lanes on which jobs of this work may be: where it begins, of its copies and its removals. */
export function laneNamesOf({ lane, target, victim }: Omit<Work, "node">): readonly string[] {
  const names = [lane, target, victim].filter((name) => name !== null && name !== indexQueue);
  return [...new Set(names as readonly string[])];
}

function lanesOf(work: Work, { lanes }: Standing): readonly LaneView[] {
  return laneNamesOf(work).flatMap((lane) => {
    const view = lanes.get(lane);
    return view === undefined || isText(view) ? [] : [view];
  });
}

/** Whether both are about batches that act alike. */
export function isSameWork(
  one: Omit<Work, "lane" | "node">,
  other: Omit<Work, "lane" | "node">,
): boolean {
  return (
    one.runId === other.runId &&
    one.policy === other.policy &&
    one.verb === other.verb &&
    one.source === other.source &&
    one.target === other.target &&
    one.victim === other.victim
  );
}

/** Whether a living worker on this node takes jobs of that lane. */
export function isAble(node: NodeState, lane: string): boolean {
  return node.up && node.roles.includes("worker") && node.backends.includes(lane);
}

/** Whether the queue gave words instead of an answer. */
export function isText(view: LaneView | string | undefined): view is string {
  return typeof view === "string";
}
