import { DateTime } from "luxon";
import type { DocumentPath, DocumentPlaces, Finding } from "#document/document-places.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";
import { cronProblem } from "#policies/timing/cron-problem.ts";
import { isTimeZone, momentsOf } from "#policies/timing/local-time.ts";
import { nextOccurrence, upcoming } from "#policies/timing/occurrences.ts";
import type { ParsedCalendars } from "#policies/timing/parse-calendars.ts";
import type { PolicyTiming, Trigger } from "#policies/timing/policy-timing.ts";
import { readPlanLimits } from "#policies/read-plan-limits.ts";
import { readWindows, type TimingReport } from "#policies/timing/read-windows.ts";
import type { Schedule, ScheduleTiming } from "#policies/timing/schedule.ts";

export interface ReadTiming {
  readonly timing: PolicyTiming;
  readonly diagnostics: readonly Diagnostic[];
}

/** Schedule, windows and triggers of a document; to be used only when nothing is an error. */
export function readTiming(
  document: PolicyDocument,
  places: DocumentPlaces,
  calendars: Pick<ParsedCalendars, "calendars" | "names">,
): ReadTiming {
  const diagnostics: Diagnostic[] = [];
  const report: TimingReport = (range, finding) => {
    diagnostics.push(places.diagnostic(range, finding));
  };
  const zone = readZone(document, places, report);
  const timing = {
    zone,
    schedule: readSchedule(document, zone, places, report),
    triggers: readTriggers(document, places, report),
    windows: readWindows(document.windows, zone, calendars, places, report),
    ...readPace(document.limits),
  };
  return { timing, diagnostics };
}

function readPace(limits: PolicyDocument["limits"]): Pick<PolicyTiming, "pace"> {
  const { rate, bandwidth } = limits ?? {};
  if (rate === undefined && bandwidth === undefined) return {};
  return {
    pace: {
      ...(rate === undefined ? {} : { actionsPerSecond: rate }),
      ...(bandwidth === undefined ? {} : { bandwidth }),
    },
  };
}

/** The zone that the schedule names, else the windows, else UTC. */
function readZone(
  { schedule, windows }: PolicyDocument,
  places: DocumentPlaces,
  report: TimingReport,
): string {
  const named = [
    [["schedule", "timezone"], schedule?.timezone],
    [["windows", "timezone"], windows?.timezone],
  ] as const;
  const known: string[] = [];
  for (const [path, zone] of named) {
    if (zone === undefined) continue;
    if (isTimeZone(zone)) known.push(zone);
    else report(places.value(path), unknownZone(zone));
  }
  const [first, second] = known;
  if (first !== undefined && second !== undefined && first !== second) {
    report(places.value(["windows", "timezone"]), {
      code: "E0166",
      message: `the windows are in ${second}, the schedule is in ${first}`,
      hint: "a policy lives in one time zone: name it once",
    });
  }
  return first ?? "UTC";
}

function unknownZone(zone: string): Finding {
  const nearest = nearestMatch(zone, Intl.supportedValuesOf("timeZone"));
  const hint =
    nearest === undefined ? "write an IANA name: Europe/Berlin" : `did you mean "${nearest}"?`;
  return { code: "E0166", message: `there is no time zone "${zone}"`, hint };
}

function readSchedule(
  { schedule }: PolicyDocument,
  zone: string,
  places: DocumentPlaces,
  report: TimingReport,
): Schedule | undefined {
  if (schedule === undefined) return undefined;
  const { cron, at, every, jitter, catchUp, overlap } = schedule;
  const given = Object.entries({ cron, at, every }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const message =
      given.length === 0
        ? "the schedule says no time"
        : `the schedule says ${given.map(([key]) => key).join(" and ")}`;
    const hint = 'say exactly one of cron: "0 2 * * *", every: 15m, at: 2026-12-01T02:00';
    report(places.key(["schedule"]), { code: "E0166", message, hint });
    return undefined;
  }
  const found = timingOf({ cron, at, every }, zone);
  if ("code" in found) {
    report(places.value(["schedule", given[0]?.[0] ?? "cron"]), found);
    return undefined;
  }
  const read: Schedule = {
    timing: found,
    zone,
    jitterMs: jitter ?? 0,
    catchUpMs: catchUp,
    overlap,
  };
  checkJitter(read, (path, finding) => {
    report(places.value(path), finding);
  });
  return read;
}

type ScheduleTimes = Pick<NonNullable<PolicyDocument["schedule"]>, "cron" | "at" | "every">;

function timingOf({ cron, at, every }: ScheduleTimes, zone: string): ScheduleTiming | Finding {
  if (every !== undefined) {
    if (every >= everyMinMs) return { kind: "every", everyMs: every };
    return { code: "E0166", message: "a policy runs every second at most", hint: "every: 15m" };
  }
  if (at !== undefined) return onceAt(at, zone);
  return cronTiming(cron ?? "", zone);
}

const everyMinMs = 1_000;
/** Any moment will do to see whether a pattern has a next one. */
const reference = new Date("2026-01-01T00:00:00Z");

function cronTiming(pattern: string, zone: string): ScheduleTiming | Finding {
  const hint = 'five fields, minute hour day month weekday: "0 2 * * *" is daily at two';
  const fields = pattern.trim().split(/\s+/).length;
  const message = `"${pattern}" is no schedule`;
  if (fields !== 5) return { code: "E0166", message: `${message}: found ${fields} fields`, hint };
  const timing: ScheduleTiming = { kind: "cron", pattern: pattern.trim() };
  const problem = cronProblem(timing.pattern);
  if (problem !== undefined) {
    return { code: "E0166", message: `${message}: ${problem.message}`, hint: problem.hint ?? hint };
  }
  const schedule = { timing, zone, jitterMs: 0, catchUpMs: undefined, overlap: "skip" } as const;
  if (nextOccurrence(schedule, reference) !== undefined) return timing;
  return {
    code: "E0166",
    message: `"${pattern}" never comes`,
    hint: "no month of these has such a day",
  };
}

function onceAt(text: string, zone: string): ScheduleTiming | Finding {
  const isDateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text);
  const parsed = DateTime.fromISO(text, { zone: "UTC", setZone: true });
  const hint = "write the local time as 2026-12-01T02:00";
  if (!isDateTime || !parsed.isValid) {
    return { code: "E0166", message: `"${text}" is no time`, hint };
  }
  if (/(?:Z|[+-]\d\d:\d\d)$/.test(text)) return { kind: "once", at: parsed.toJSDate() };
  const [first] = momentsOf(parsed.toMillis(), zone);
  if (first !== undefined) return { kind: "once", at: new Date(first) };
  const message = `"${text}" does not exist in ${zone}: the clocks go forward over it`;
  return { code: "E0166", message, hint: "choose a time before or after the skipped hour" };
}

/** Occurrences looked at to find the shortest time between two. */
const gapsLookedAt = 50;

function checkJitter(
  schedule: Schedule,
  report: (path: DocumentPath, finding: Finding) => void,
): void {
  if (schedule.jitterMs === 0 || schedule.timing.kind === "once") return;
  const times = upcoming(schedule, reference, gapsLookedAt).map(Number);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  if (schedule.jitterMs < Math.min(...gaps)) return;
  report(["schedule", "jitter"], {
    code: "E0166",
    message: "the jitter is as long as the time between two runs",
    hint: "make it shorter, so that runs keep their order",
  });
}

function share(percentage: string): number {
  return Number.parseFloat(percentage) / 100;
}

function readTriggers(
  { triggers = [] }: PolicyDocument,
  places: DocumentPlaces,
  report: TimingReport,
): readonly Trigger[] {
  return triggers.map((trigger, position): Trigger => {
    const bounded = trigger.limits === undefined ? {} : { limits: readPlanLimits(trigger.limits) };
    if ("event" in trigger) return { kind: "event", event: trigger.event, ...bounded };
    const { backend, above, until } = trigger.usage;
    if (share(until) >= share(above)) {
      report(places.value(["triggers", position, "usage", "until"]), {
        code: "E0166",
        message: `the low mark ${until} is not below the high mark ${above}`,
        hint: "until: is where the work stops, such as above: 85%, until: 75%",
      });
    }
    return { kind: "usage", backend, above: share(above), until: share(until), ...bounded };
  });
}
