import type { CalendarDays } from "#policies/timing/calendar.ts";
import { type CalendarEntry, monthNumber } from "#policies/timing/calendar-schema.ts";

type Problem = { readonly message: string; readonly hint: string };

const example = 'write "2026-12-24", "2026-12-24..2027-01-02", "12-24" or "12-24..01-02"';
const everyMonth: ReadonlySet<number> = new Set(
  Array.from({ length: 12 }, (_, month) => month + 1),
);

/** One entry of a calendar, or what is wrong with it. */
export function parseCalendarDays(entry: CalendarEntry): CalendarDays | Problem {
  if (typeof entry !== "string") {
    const months = entry.months === undefined ? everyMonth : new Set(entry.months.map(monthNumber));
    return monthDays(String(entry.monthly), months);
  }
  const [from = "", to = from, more] = entry.split("..");
  const [start, end] = [dayNumber(from), dayNumber(to)];
  if (more !== undefined || start === undefined || end === undefined) {
    const wrong = start === undefined ? from : end === undefined ? to : entry;
    return { message: `"${wrong}" is no day`, hint: example };
  }
  const kind = start > 10_000 ? "once" : "yearly";
  if (kind !== (end > 10_000 ? "once" : "yearly")) {
    return { message: `"${entry}" names a year at one end only`, hint: example };
  }
  if (kind === "once" && end < start) {
    return { message: `"${entry}" ends before it begins`, hint: "put the earlier date first" };
  }
  return { kind, from: start, to: end };
}

/** `2026-12-24` → 20261224, `12-24` → 1224; undefined for a day that does not exist. */
function dayNumber(text: string): number | undefined {
  const match = /^(?:(\d{4})-)?(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0] = [match[1], match[2], match[3]].map(Number);
  // The 29th of February is a day of each leap year.
  const checked = new Date(Date.UTC(match[1] === undefined ? 2000 : year, 0, 1));
  checked.setUTCMonth(month - 1, day);
  const exists = checked.getUTCMonth() + 1 === month && checked.getUTCDate() === day;
  if (!exists) return undefined;
  const ofYear = month * 100 + day;
  return match[1] === undefined ? ofYear : year * 10_000 + ofYear;
}

function isDay(day: number): boolean {
  return day !== 0 && Math.abs(day) <= 31;
}

function monthDays(text: string, months: ReadonlySet<number>): CalendarDays | Problem {
  const match = /^(-?\d{1,2})(?:\.\.(-?\d{1,2}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = match?.[2] === undefined ? from : Number(match[2]);
  if (match === null || !isDay(from) || !isDay(to)) {
    return { message: `"${text}" are no days of a month`, hint: 'write 1, -1, "1..5" or "-3..-1"' };
  }
  // -31 may be any day from the first on: only ends counted from the same side compare.
  if (from > 0 === to > 0 && to < from) {
    return { message: `"${text}" ends before it begins`, hint: 'write "1..5", "-3..-1"' };
  }
  return { kind: "monthly", from, to, months };
}
