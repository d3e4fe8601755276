import { forEachObject } from "#jobs/for-each-object.ts";
import { measuredGroup } from "#jobs/measured-action.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import {
  type GroupCopy,
  groupBytesMax,
  groupObjectsMax,
  groupObjectsMin,
  type ObjectGroups,
} from "#model/driver.ts";
import { groupsWith } from "#model/groups-with.ts";
import { reportedCopy, reportedEvidence } from "#model/reported-copy.ts";
import { singlePieceMax } from "#model/single-piece.ts";

/** While one group is stored the next is read. */
const groupsAtOnce = 2;

/**
 * Copies the small objects of a batch in groups where both sides can do that. Whatever something
 * stands in the way of gets no outcome here: copied alone, it hears what that is.
 */
export async function copyGroups(
  actions: readonly SegmentAction[],
  context: StepContext,
): Promise<void> {
  const { signal, drain, data } = context;
  const small = actions.filter(({ object }) => object.size <= singlePieceMax);
  if (small.length < groupObjectsMin) return;
  // A side that takes nothing of a group is out or full, or has none of it: no other goes better.
  let goesWell = true;
  const copyNext = async (group: readonly SegmentAction[]): Promise<void> => {
    const places = goesWell ? placesOf(context) : undefined;
    if (places === undefined) return;
    const copied = await measuredGroup(context, data.target ?? "", () =>
      copyGroup(group, places, context),
    );
    goesWell &&= copied > 0;
  };
  await forEachObject(groupsOf(small), groupsAtOnce, signal, copyNext, drain);
}

interface Places {
  readonly source: ObjectGroups;
  readonly target: ObjectGroups;
}

/** The two sides, if both take groups at this moment, and no service copies within itself. */
function placesOf({ data, drivers }: StepContext): Places | undefined {
  const [from, to] = [drivers.get(data.source ?? ""), drivers.get(data.target ?? "")];
  const isOneService = from?.account !== undefined && from.account === to?.account;
  if (isOneService && to?.groupsWithinAccount !== true) return undefined;
  const [source, target] = [groupsWith(from), groupsWith(to)];
  return source === undefined || target === undefined ? undefined : { source, target };
}

/** Copies what can be copied without further ado, and says how many objects that were. */
async function copyGroup(
  group: readonly SegmentAction[],
  { source, target }: Places,
  context: StepContext,
): Promise<number> {
  const { signal, drain } = context;
  try {
    const objects = group.map(({ object }) => object);
    using read = await source.readGroup(objects, { signal, drain });
    const found = group.flatMap((action, at) => {
      const bytes = read.bytes[at];
      return bytes === undefined ? [] : [{ action, bytes }];
    });
    if (found.length === 0) return 0;
    const stored = await target.storeGroup(
      found.map(({ action }) => action.object),
      found.map(({ bytes }) => bytes),
      { signal, drain },
    );
    return note(
      found.map(({ action }) => action),
      stored,
      context,
    );
  } catch {
    // Whatever it was: each object meets it again alone, where it is told from others.
    return 0;
  }
}

/** Keeps what is stored and verified; how many that were. */
function note(
  actions: readonly SegmentAction[],
  stored: readonly (GroupCopy | undefined)[],
  { memory }: StepContext,
): number {
  let noted = 0;
  let bytes = 0;
  for (const [at, { sequence, object }] of actions.entries()) {
    const ended = stored[at];
    if (ended === undefined) continue;
    const copy = reportedCopy(ended.copy, object.cid);
    const evidence = reportedEvidence(ended.evidence, object.cid);
    memory.add({ sequence, outcome: "done", copy, evidence, moved: ended.moved });
    noted += 1;
    if (ended.moved) bytes += object.size;
  }
  if (bytes > 0) memory.moved(bytes);
  return noted;
}

/** Cuts what follows each other, where a group is full or another profile begins. */
function groupsOf(actions: readonly SegmentAction[]): readonly (readonly SegmentAction[])[] {
  const groups: SegmentAction[][] = [];
  let bytes = 0;
  for (const action of actions) {
    const { size, profile } = action.object;
    const last = groups.at(-1);
    bytes += size;
    const fits = last !== undefined && last.length < groupObjectsMax && bytes <= groupBytesMax;
    if (fits && last[0]?.object.profile === profile) last.push(action);
    else {
      groups.push([action]);
      bytes = size;
    }
  }
  return groups;
}
