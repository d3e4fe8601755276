import {
  type BandwidthSlot,
  type BandwidthTimetable,
  slotAt,
  weekMinutes,
} from "#model/bandwidth.ts";

const minuteMs = 60_000;

/** What a timetable says at a time, and when it says something else. */
export interface BandwidthNow {
  readonly slot: BandwidthSlot;
  /** Undefined when nothing ever changes. */
  readonly next: { readonly slot: BandwidthSlot; readonly at: Date } | undefined;
}

/** Reads a timetable by the clock on the wall of a time zone (default: this machine's). */
export function bandwidthAt(
  timetable: BandwidthTimetable,
  now: Date,
  timeZone?: string,
): BandwidthNow {
  const minute = minuteOfWeek(now, timeZone);
  const slot = slotAt(timetable, minute);
  const others = timetable.slots.filter((candidate) => differs(candidate, slot));
  if (others.length === 0) return { slot, next: undefined };
  const next = others.toSorted((a, b) => ahead(minute, a) - ahead(minute, b))[0] ?? slot;
  return { slot, next: { slot: next, at: startOf(next, minute, now, timeZone) } };
}

/** Minutes since Monday 00:00 on the wall clock. */
function minuteOfWeek(at: Date, timeZone: string | undefined): number {
  const parts = formatOf(timeZone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((candidate) => candidate.type === type)?.value ?? "";
  const day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].indexOf(part("weekday"));
  return day * 24 * 60 + Number(part("hour")) * 60 + Number(part("minute"));
}

/**
 * A clock that is moved forward skips wall times: the slot then begins with the first minute
 * after the gap. The wall clock is asked again until it agrees.
 */
function startOf(
  slot: BandwidthSlot,
  minute: number,
  now: Date,
  timeZone: string | undefined,
): Date {
  const minuteStart = Math.floor(now.getTime() / minuteMs) * minuteMs;
  let at = minuteStart + ahead(minute, slot) * minuteMs;
  const offBy = wrap(minuteOfWeek(new Date(at), timeZone) - slot.minute);
  const corrected = at - (offBy > weekMinutes / 2 ? offBy - weekMinutes : offBy) * minuteMs;
  if (minuteOfWeek(new Date(corrected), timeZone) === slot.minute) at = corrected;
  return new Date(at);
}

/** Minutes until a slot begins again, at least one. */
function ahead(minute: number, slot: BandwidthSlot): number {
  return wrap(slot.minute - minute - 1) + 1;
}

function wrap(minutes: number): number {
  return ((minutes % weekMinutes) + weekMinutes) % weekMinutes;
}

function differs(a: BandwidthSlot, b: BandwidthSlot): boolean {
  const [one, two] = [a.bandwidth, b.bandwidth];
  return one.upload !== two.upload || one.download !== two.download;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  const known = formats.get(timeZone ?? "");
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  formats.set(timeZone ?? "", made);
  return made;
}
