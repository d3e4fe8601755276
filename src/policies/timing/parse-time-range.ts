import { nearestMatch } from "#model/nearest-match.ts";
import type { Span } from "#policies/expression/span.ts";
import { type HoursOfDays, minutesOfDay } from "#policies/timing/time-range.ts";

/** What is wrong with a text, and where in it. */
export interface TimingProblem {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
}

const dayNames = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const example = 'write "22:00-06:00", "Sat-Sun 00:00-24:00" or "Mon,Wed 08:00-12:00"';

/** `Mon-Fri 22:00-06:00` → hours of days, or what is wrong with it. */
export function parseTimeRange(text: string): HoursOfDays | TimingProblem {
  const match = /^(?:(\S+)\s+)?(\S+)$/.exec(text.trim());
  const [, dayText, hourText] = match ?? [];
  const whole = { start: 0, end: text.length };
  if (hourText === undefined) {
    return { ...whole, message: `"${text}" is no window`, hint: example };
  }
  const days = dayText === undefined ? allDays : parseDays(dayText);
  if ("message" in days) return { ...days, ...placeOf(text, days.word) };
  const hours = parseHours(hourText);
  if ("message" in hours) return { ...hours, ...placeOf(text, hourText) };
  return { kind: "hours", text: text.trim(), days, ...hours };
}

const allDays: ReadonlySet<number> = new Set(dayNames.map((_, index) => index + 1));

interface WordProblem {
  readonly word: string;
  readonly message: string;
  readonly hint: string;
}

function parseDays(text: string): ReadonlySet<number> | WordProblem {
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const [first = "", last = first, more] = part.split("-");
    if (more !== undefined) return { word: part, message: `"${part}" is no days`, hint: example };
    const wrong = [first, last].find((word) => !dayNames.includes(word));
    if (wrong !== undefined) return unknownDay(wrong);
    const from = dayNames.indexOf(first);
    const length = (dayNames.indexOf(last) - from + 7) % 7;
    for (let step = 0; step <= length; step += 1) days.add(((from + step) % 7) + 1);
  }
  return days;
}

function unknownDay(word: string): WordProblem {
  const nearest = nearestMatch(word.slice(0, 3), dayNames);
  return {
    word,
    message: `there is no day "${word}"`,
    hint: nearest === undefined ? `days are ${dayNames.join(" ")}` : `did you mean "${nearest}"?`,
  };
}

function parseHours(text: string): { from: number; to: number } | Omit<WordProblem, "word"> {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (match === null) return { message: `"${text}" are no hours`, hint: example };
  const [from, to] = [minuteOf(match[1], match[2]), minuteOf(match[3], match[4])];
  const bad = [from, to].some((minute) => minute > minutesOfDay || Number.isNaN(minute));
  if (bad || from === minutesOfDay) {
    return { message: `"${text}" are no hours of a day`, hint: "hours go from 00:00 to 24:00" };
  }
  if (from === to || (to === 0 && from === 0)) {
    return { message: `the window "${text}" is empty`, hint: "a whole day is 00:00-24:00" };
  }
  return { from, to: to === 0 ? minutesOfDay : to };
}

function minuteOf(hours: string | undefined, minutes: string | undefined): number {
  return Number(minutes) < 60 ? Number(hours) * 60 + Number(minutes) : Number.NaN;
}

function placeOf(text: string, word: string): Pick<Span, "start" | "end"> {
  const start = Math.max(0, text.indexOf(word));
  return { start, end: start + Math.max(1, word.length) };
}
