import { textTable } from "#cli/output/text-table.ts";
import { ago } from "#cli/output/words.ts";
import type { LastFiring, ScheduleStatus, UpcomingStart } from "#model/schedule.ts";
import { localTimeText } from "#model/local-time-text.ts";

/** What starts policies by itself, as a table, with a line for each thing to know. */
export function formatSchedules(schedules: readonly ScheduleStatus[], now: Date): string {
  if (schedules.length === 0) return "no policy has a schedule, triggers or windows\n";
  const table = textTable(
    [
      { title: "policy" },
      { title: "starts" },
      { title: "next" },
      { title: "next (UTC)" },
      { title: "last" },
      { title: "window" },
    ],
    schedules.flatMap((status) => rowsOf(status, now)),
  );
  const remarks = schedules.flatMap(remarksOf);
  return remarks.length === 0 ? table : `${table}\n${remarks.join("\n")}\n`;
}

function rowsOf(status: ScheduleStatus, now: Date): readonly (readonly string[])[] {
  const { policy, zone, schedule, next, disabled, last, triggers } = status;
  const local = next === undefined ? "-" : localTimeText(new Date(next), zone);
  const first = [
    policy,
    schedule ?? "-",
    disabled === undefined ? local : "disabled",
    next ?? "-",
    lastText(last, now),
    windowText(status),
  ];
  const others = triggers.map((trigger) => [
    policy,
    `when ${trigger.name}`,
    trigger.active ? "active" : "-",
    "-",
    lastText(trigger.last, now),
    windowText(status),
  ]);
  return schedule === undefined && others.length > 0 ? others : [first, ...others];
}

function lastText(last: LastFiring | undefined, now: Date): string {
  if (last === undefined) return "never";
  const outcome = last.run === undefined ? last.outcome : `${last.runId} ${last.run}`;
  return `${outcome}, ${ago(last.at, now)}`;
}

function windowText({ window, zone }: ScheduleStatus): string {
  if (window === undefined) return "always";
  const state = window.open ? "open" : "closed";
  if (window.until === undefined) return state;
  return `${state} until ${localTimeText(new Date(window.until), zone)}`;
}

function remarksOf(status: ScheduleStatus): readonly string[] {
  const { policy, disabled, missed, waiting, last } = status;
  const remarks: string[] = [];
  if (disabled !== undefined) {
    remarks.push(`disabled by ${disabled.by} at ${disabled.at}: ${disabled.reason}`);
  }
  if (missed > 0) remarks.push(`${missed} starts were missed`);
  if (waiting !== undefined) remarks.push(`the start of ${waiting} waits for the run before it`);
  if (last?.message !== undefined) remarks.push(`${last.outcome}: ${last.message}`);
  for (const { name, last: fired } of status.triggers) {
    if (fired?.message !== undefined) remarks.push(`${name}: ${fired.outcome}: ${fired.message}`);
  }
  return remarks.map((remark) => `${policy}: ${remark}`);
}

/** The next starts as a table. */
export function formatUpcoming(starts: readonly UpcomingStart[]): string {
  if (starts.length === 0) return "it never starts again\n";
  return textTable(
    [{ title: "start" }, { title: "UTC, with jitter" }, { title: "note" }],
    starts.map(({ local, startsAt, note, opensAt }) => {
      const closed = opensAt === undefined ? undefined : `windows are closed until ${opensAt}`;
      return [local, startsAt, [note, closed].filter(Boolean).join("; ")];
    }),
  );
}
