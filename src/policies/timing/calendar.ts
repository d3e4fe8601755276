import type { LocalTime } from "#policies/timing/local-time.ts";

/** A named set of days. They are days of the time zone of the policy that uses it. */
export interface Calendar {
  readonly name: string;
  readonly description: string | undefined;
  readonly days: readonly CalendarDays[];
}

/** One entry of a calendar; both ends belong to it. */
export type CalendarDays =
  /** Once: days as numbers like 20261224. */
  | { readonly kind: "once"; readonly from: number; readonly to: number }
  /** Each year: days as numbers like 1224; over New Year when `to` is before `from`. */
  | { readonly kind: "yearly"; readonly from: number; readonly to: number }
  /** Days of some months: 1 is the first, -1 the last. */
  | {
      readonly kind: "monthly";
      readonly from: number;
      readonly to: number;
      readonly months: ReadonlySet<number>;
    };

type LocalDate = Pick<LocalTime, "year" | "month" | "day">;

/** Whether a calendar has this day. */
export function isCalendarDay({ days }: Calendar, date: LocalDate): boolean {
  return days.some((entry) => isDayOf(entry, date));
}

function isDayOf(entry: CalendarDays, { year, month, day }: LocalDate): boolean {
  const { from, to } = entry;
  const ofYear = month * 100 + day;
  if (entry.kind === "once") {
    const number = year * 10_000 + ofYear;
    return number >= from && number <= to;
  }
  if (entry.kind === "yearly") {
    return from <= to ? ofYear >= from && ofYear <= to : ofYear >= from || ofYear <= to;
  }
  const [first, last] = [from, to].map((end) => dayOfMonth(end, year, month));
  return entry.months.has(month) && day >= (first ?? 1) && day <= (last ?? 0);
}

/** `-1` is the last day of the month. */
function dayOfMonth(day: number, year: number, month: number): number {
  return day > 0 ? day : new Date(Date.UTC(year, month, 0)).getUTCDate() + 1 + day;
}
