import { type Calendar, isCalendarDay } from "#policies/timing/calendar.ts";
import { dayBefore, type LocalTime } from "#policies/timing/local-time.ts";

/** Times at which something is allowed or denied: hours of some days, or days of a calendar. */
export type TimeRange = HoursOfDays | DaysOfCalendar;

/** `Mon-Fri 22:00-06:00`; a range over midnight belongs to the day on which it begins. */
export interface HoursOfDays {
  readonly kind: "hours";
  readonly text: string;
  /** 1 Monday to 7 Sunday. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight; the range is over midnight when `to` is not after `from`. */
  readonly from: number;
  readonly to: number;
}

export interface DaysOfCalendar {
  readonly kind: "calendar";
  readonly calendar: Calendar;
}

export const minutesOfDay = 1_440;

/** Whether a local time lies in the range: only what the clock shows counts. */
export function isWithinRange(range: TimeRange, local: LocalTime): boolean {
  if (range.kind === "calendar") return isCalendarDay(range.calendar, local);
  const { days, from, to } = range;
  if (from < to) return days.has(local.weekday) && local.minute >= from && local.minute < to;
  if (local.minute >= from) return days.has(local.weekday);
  return local.minute < to && days.has(dayBefore(local).weekday);
}

/** The minutes of the day at which the range may begin or end. */
export function edgesOf(range: TimeRange): readonly number[] {
  return range.kind === "calendar" ? [0] : [range.from, range.to % minutesOfDay];
}

/** How people name the range. */
export function rangeName(range: TimeRange): string {
  return range.kind === "calendar" ? `calendar ${range.calendar.name}` : `"${range.text}"`;
}

/** Whether the wide range holds whenever the narrow one does. Only hours are compared. */
export function coversRange(wide: HoursOfDays, narrow: HoursOfDays): boolean {
  const held = new Set(minutesOfWeek(wide));
  return minutesOfWeek(narrow).every((minute) => held.has(minute));
}

function minutesOfWeek({ days, from, to }: HoursOfDays): readonly number[] {
  const length = from < to ? to - from : to + minutesOfDay - from;
  return [...days].flatMap((day) =>
    Array.from(
      { length },
      (_, minute) => ((day - 1) * minutesOfDay + from + minute) % (7 * minutesOfDay),
    ),
  );
}
