import { IANAZone } from "luxon";

/** What the clock on the wall and the calendar beside it show in a time zone. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** 1 Monday to 7 Sunday. */
  readonly weekday: number;
  /** Minutes since midnight as the clock shows them: 0 to 1439. */
  readonly minute: number;
}

const dayMs = 86_400_000;

/** The local time at a moment. */
export function localTimeAt(at: number, zone: string): LocalTime {
  return shownTime(at + offsetMs(at, zone));
}

/** The day before, at the same time of day: calendars count, not hours. */
export function dayBefore({ year, month, day, minute }: LocalTime): LocalTime {
  return shownTime(Date.UTC(year, month - 1, day) - dayMs + minute * 60_000);
}

/** How far the clocks of a zone are ahead of UTC. */
export function offsetMs(at: number, zone: string): number {
  return IANAZone.create(zone).offset(at) * 60_000;
}

/** Whether this is the name of a time zone. */
export function isTimeZone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/** Every moment at which the clock shows this: none in a gap, two where an hour repeats. */
export function momentsOf(shown: number, zone: string): readonly number[] {
  const offsets = new Set([shown - dayMs, shown, shown + dayMs].map((at) => offsetMs(at, zone)));
  return [...offsets]
    .map((offset) => shown - offset)
    .filter((at) => at + offsetMs(at, zone) === shown)
    .toSorted((a, b) => a - b);
}

/** When the clocks change between two moments of one day apart at most; undefined if never. */
export function clockChange(from: number, until: number, zone: string): number | undefined {
  const before = offsetMs(from, zone);
  if (offsetMs(until, zone) === before) return undefined;
  let [low, high] = [from, until];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle, zone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Reads a clock that shows UTC plus its offset. */
function shownTime(shown: number): LocalTime {
  const date = new Date(shown);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay() || 7,
    minute: date.getUTCHours() * 60 + date.getUTCMinutes(),
  };
}
