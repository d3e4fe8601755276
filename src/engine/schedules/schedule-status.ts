import type { EngineContext } from "#engine/context.ts";
import { scheduleStarter, starterKey, starterStates } from "#engine/schedules/starting.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Run } from "#model/run.ts";
import type { LastFiring, ScheduleStatus, UpcomingStart } from "#model/schedule.ts";
import type { Firing, StarterState } from "#model/starter.ts";
import { clockNote } from "#policies/timing/clock-note.ts";
import { occurrencesAfter, upcoming } from "#policies/timing/occurrences.ts";
import { type PolicyTiming, triggerName } from "#policies/timing/policy-timing.ts";
import { jitterOf, type Schedule, scheduleText } from "#policies/timing/schedule.ts";
import { localTimeText } from "#model/local-time-text.ts";
import type { Windows } from "#policies/timing/windows.ts";

/** Every policy that starts by itself or has windows, by name. */
export async function scheduleStatuses(context: EngineContext): Promise<readonly ScheduleStatus[]> {
  const { index, now } = context;
  const timings = await requireTimings(context);
  const states = await starterStates(index.starters);
  const runs = new Map((await index.runs()).map((run) => [run.id, run]));
  return [...timings]
    .filter(([, { schedule, triggers, windows }]) => schedule ?? triggers[0] ?? windows)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([policy, timing]) => statusOf(policy, timing, { states, runs, now: now() }));
}

interface Known {
  readonly states: ReadonlyMap<string, StarterState>;
  readonly runs: ReadonlyMap<string, Run>;
  readonly now: Date;
}

function statusOf(policy: string, timing: PolicyTiming, known: Known): ScheduleStatus {
  const { zone, schedule, windows, triggers } = timing;
  const { states, runs, now } = known;
  const state = states.get(starterKey(policy, scheduleStarter));
  return {
    policy,
    zone,
    schedule: schedule && scheduleText(schedule),
    overlap: schedule?.overlap,
    next: schedule && state?.disabled === undefined ? nextStart(policy, schedule, now) : undefined,
    last: lastFiring(state?.last, runs),
    waiting: state?.waiting,
    missed: state?.missed ?? 0,
    disabled: state?.disabled,
    window: windows && {
      open: windows.isOpen(now),
      until: windows.nextChange(now)?.toISOString(),
    },
    triggers: triggers.map((trigger) => {
      const name = triggerName(trigger);
      const own = states.get(starterKey(policy, name));
      return { name, active: own?.active ?? false, last: lastFiring(own?.last, runs) };
    }),
  };
}

/** An occurrence whose time has come but whose jitter has not passed is still to come. */
function nextStart(policy: string, schedule: Schedule, now: Date): string | undefined {
  const since = new Date(now.getTime() - schedule.jitterMs - 1);
  for (const occurrence of occurrencesAfter(schedule, since)) {
    const start = occurrence.getTime() + jitterOf(policy, occurrence, schedule);
    if (start > now.getTime()) return new Date(start).toISOString();
  }
  return undefined;
}

function lastFiring(
  firing: Firing | undefined,
  runs: ReadonlyMap<string, Run>,
): LastFiring | undefined {
  return firing && { ...firing, run: runs.get(firing.runId ?? "")?.state };
}

/** Starts shown at most: a preview, not a calendar of decades. */
const upcomingMax = 1_000;

/** The next starts of a policy, with what clocks and windows do to them. */
export async function upcomingStarts(
  context: EngineContext,
  policy: string,
  count: number,
): Promise<readonly UpcomingStart[]> {
  const timing = (await requireTimings(context)).get(policy);
  const schedule = timing?.schedule;
  if (schedule === undefined) {
    const message = timing ? `policy ${policy} has no schedule` : `there is no policy "${policy}"`;
    throw new EngineError("NOT_FOUND", message, { hint: "`thermocline schedule ls` lists them" });
  }
  const now = context.now();
  let before = now;
  return upcoming(schedule, now, Math.min(count, upcomingMax)).map((occurrence) => {
    const startsAt = new Date(occurrence.getTime() + jitterOf(policy, occurrence, schedule));
    const note = clockNote(schedule, occurrence, before);
    before = occurrence;
    return {
      at: occurrence.toISOString(),
      startsAt: startsAt.toISOString(),
      local: localTimeText(occurrence, schedule.zone),
      note,
      opensAt: opensAt(timing?.windows, startsAt),
    };
  });
}

function opensAt(windows: Windows | undefined, at: Date): string | undefined {
  if (windows === undefined || windows.isOpen(at)) return undefined;
  return windows.nextOpen(at)?.toISOString();
}

async function requireTimings({ timings }: EngineContext) {
  const known = await timings.timings();
  if (known !== undefined) return known;
  throw new EngineError("INVALID_DOCUMENT", "the policies have errors: nobody knows their times", {
    hint: "thermocline validate shows them",
  });
}
