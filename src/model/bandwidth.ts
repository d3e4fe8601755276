import { EngineError } from "#model/engine-error.ts";

/** Bytes per second to a backend and from it; undefined is no bound. */
export interface Bandwidth {
  readonly upload: number | undefined;
  readonly download: number | undefined;
}

export const unlimited: Bandwidth = { upload: undefined, download: undefined };

/** A bandwidth that begins at a minute of the week (0 is Monday 00:00) in local time. */
export interface BandwidthSlot {
  readonly minute: number;
  /** As it was written: `08:00,512k`. */
  readonly text: string;
  readonly bandwidth: Bandwidth;
}

/**
 * Bandwidth over the week, by the minute at which each slot begins. One slot holds always; the
 * last slot of a week goes on into the next one.
 */
export interface BandwidthTimetable {
  readonly text: string;
  readonly slots: readonly BandwidthSlot[];
}

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const dayMinutes = 24 * 60;
export const weekMinutes = 7 * dayMinutes;

/**
 * Reads a bandwidth in rclone's syntax: `10M`, `10M:100k` (upload:download), `off`, and
 * timetables `08:00,512k 12:00,10M 23:00,off` or `Mon-00:00,512 Fri-23:59,10M`. Units are
 * binary, a bare number counts KiB/s. Throws INVALID_DOCUMENT.
 */
export function parseBandwidth(text: string): BandwidthTimetable {
  const words = text.trim().split(/\s+/);
  const [only = ""] = words;
  if (words.length === 1 && !only.includes(",")) {
    return { text: only, slots: [{ minute: 0, text: only, bandwidth: readPair(only, text) }] };
  }
  const slots = words.flatMap((word) => readSlots(word, text));
  const byMinute = slots.toSorted((a, b) => a.minute - b.minute);
  const twice = byMinute.find((slot, at) => slot.minute === byMinute[at - 1]?.minute);
  if (twice !== undefined) throw invalid(text, `two slots begin at ${wordOf(twice.minute)}`);
  return { text: words.join(" "), slots: byMinute };
}

/** The slot in force at a minute of the week. */
export function slotAt({ slots }: BandwidthTimetable, minute: number): BandwidthSlot {
  const slot = slots.findLast((candidate) => candidate.minute <= minute) ?? slots.at(-1);
  if (slot === undefined) throw new TypeError("a timetable has a slot");
  return slot;
}

/** Bytes per second as people write them for us: `10M`, `512k`, `off`. */
function formatRate(bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined) return "off";
  const names = ["T", "G", "M", "k"];
  const powers = [4, 3, 2, 1];
  for (const [at, name] of names.entries()) {
    const value = bytesPerSecond / 1024 ** (powers[at] ?? 0);
    if (value >= 1) return `${Number(value.toFixed(2))}${name}`;
  }
  return `${Math.round(bytesPerSecond)}B`;
}

/** `10M` when both directions have it, else `upload:download`. */
export function formatBandwidth({ upload, download }: Bandwidth): string {
  const [up, down] = [formatRate(upload), formatRate(download)];
  return up === down ? up : `${up}:${down}`;
}

function readSlots(word: string, text: string): readonly BandwidthSlot[] {
  const match = /^(?:([A-Za-z]{3,9})-)?(\d{1,2}):(\d{2}),(.+)$/.exec(word);
  if (match === null) throw invalid(text, `"${word}" is not a time and a bandwidth`);
  const [, dayName, hours, minutes, pair = ""] = match;
  const minute = Number(hours) * 60 + Number(minutes);
  if (minute >= dayMinutes || Number(minutes) > 59) {
    throw invalid(text, `${hours}:${minutes} is no time of day`);
  }
  const bandwidth = readPair(pair, text);
  const wanted = dayName === undefined ? days : [dayOf(dayName, text)];
  return wanted.map((day) => ({
    minute: days.indexOf(day) * dayMinutes + minute,
    text: word,
    bandwidth,
  }));
}

function dayOf(name: string, text: string): string {
  const names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
  const at = names.findIndex((full) => full.startsWith(name.toLowerCase()));
  const day = days[at];
  if (day === undefined) throw invalid(text, `"${name}" is no day of the week`);
  return day;
}

function readPair(pair: string, text: string): Bandwidth {
  const [up = "", down = up, more] = pair.split(":");
  if (more !== undefined) throw invalid(text, `"${pair}" has more than upload:download`);
  return { upload: readRate(up, text), download: readRate(down, text) };
}

function readRate(word: string, text: string): number | undefined {
  if (word.toLowerCase() === "off") return undefined;
  const match = /^(\d+(?:\.\d+)?)\s*(?:(B)|([kmgtp])(?:i|iB)?)?(?:\/s)?$/i.exec(word);
  if (match === null) {
    const decimal = /\d\s*[kmgtp]B/i.test(word);
    throw invalid(text, decimal ? `"${word}" is a decimal unit` : `"${word}" is no bandwidth`);
  }
  const [, digits, byte, prefix = "k"] = match;
  const power = byte === undefined ? "kmgtp".indexOf(prefix.toLowerCase()) + 1 : 0;
  const rate = Math.round(Number(digits) * 1024 ** power);
  if (rate > 0) return rate;
  throw invalid(text, "a bandwidth of 0 would stop everything: pause the backend for that");
}

function wordOf(minute: number): string {
  const [day, rest] = [days[Math.floor(minute / dayMinutes)], minute % dayMinutes];
  return `${day}-${twoDigits(Math.floor(rest / 60))}:${twoDigits(rest % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function invalid(text: string, why: string): EngineError {
  const part = `"${text}" is not a bandwidth: ${why}`;
  return new EngineError("INVALID_DOCUMENT", why.startsWith(`"${text}" `) ? why : part, {
    hint: "write 10M, 10M:100k (upload:download), off, or 08:00,512k 19:00,off (units are binary)",
  });
}
