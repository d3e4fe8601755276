import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTimeRange } from "#policies/timing/parse-time-range.ts";
import type { TimeRange } from "#policies/timing/time-range.ts";
import { Windows } from "#policies/timing/windows.ts";

function hours(text: string | TimeRange): TimeRange {
  if (typeof text !== "string") return text;
  const parsed = parseTimeRange(text);
  if ("kind" in parsed) return parsed;
  throw new Error(parsed.message);
}

function windowsOf(
  zone: string,
  allow: readonly string[],
  deny: readonly (string | TimeRange)[] = [],
): Windows {
  return new Windows({ zone, allow: allow.map(hours), deny: deny.map(hours) });
}

const utc = (text: string): Date => new Date(`${text}Z`);

describe("what is open", () => {
  test("without an allowed time everything is, and nothing changes", () => {
    const windows = windowsOf("Europe/Berlin", []);
    expect(windows.isOpen(utc("2026-05-04T12:00"))).toBe(true);
    expect(windows.nextChange(utc("2026-05-04T12:00"))).toBeUndefined();
    expect(windows.nextClose(utc("2026-05-04T12:00"))).toBeUndefined();
  });

  test("allowed times add up", () => {
    const windows = windowsOf("UTC", ["Sat-Sun 00:00-24:00", "22:00-06:00"]);
    // Monday the 4th of May 2026.
    expect(windows.isOpen(utc("2026-05-04T05:59"))).toBe(true);
    expect(windows.isOpen(utc("2026-05-04T06:00"))).toBe(false);
    expect(windows.nextOpen(utc("2026-05-04T06:00"))).toEqual(utc("2026-05-04T22:00"));
    // Friday night goes over into the weekend, and that into Monday morning.
    expect(windows.nextClose(utc("2026-05-08T22:00"))).toEqual(utc("2026-05-11T06:00"));
  });

  test("a time over midnight belongs to the day on which it begins", () => {
    const windows = windowsOf("UTC", ["Fri 22:00-06:00"]);
    expect(windows.isOpen(utc("2026-05-08T23:00"))).toBe(true);
    expect(windows.isOpen(utc("2026-05-09T05:00"))).toBe(true);
    expect(windows.isOpen(utc("2026-05-08T05:00"))).toBe(false);
    expect(windows.isOpen(utc("2026-05-09T23:00"))).toBe(false);
  });

  test("what is denied wins, by hours and by calendar", () => {
    const calendar: TimeRange = {
      kind: "calendar",
      calendar: {
        name: "holidays",
        description: undefined,
        days: [{ kind: "once", from: 20_260_509, to: 20_260_510 }],
      },
    };
    const windows = windowsOf("UTC", ["Sat-Sun 00:00-24:00"], [calendar, "12:00-13:00"]);
    expect(windows.isOpen(utc("2026-05-09T10:00"))).toBe(false);
    expect(windows.deniedBy(utc("2026-05-09T10:00"))).toBe(calendar);
    expect(windows.isOpen(utc("2026-05-16T12:30"))).toBe(false);
    expect(windows.nextOpen(utc("2026-05-08T12:00"))).toEqual(utc("2026-05-16T00:00"));
  });

  test("a list of days may have ranges, also over the end of the week", () => {
    const windows = windowsOf("UTC", ["Mon,Wed 08:00-12:00", "Sat-Mon 20:00-21:00"]);
    const open = ["2026-05-04T20:30", "2026-05-06T08:00", "2026-05-09T20:00", "2026-05-10T20:59"];
    const closed = ["2026-05-05T09:00", "2026-05-08T20:30", "2026-05-06T12:00"];
    expect(open.map((at) => windows.isOpen(utc(at)))).toEqual([true, true, true, true]);
    expect(closed.map((at) => windows.isOpen(utc(at)))).toEqual([false, false, false]);
  });

  test("a window that never opens has no next opening", () => {
    const windows = windowsOf("UTC", ["Sat 10:00-11:00"], ["Sat-Sun 00:00-24:00"]);
    expect(windows.nextOpen(utc("2026-05-04T00:00"))).toBeUndefined();
  });
});

describe("when the clocks change", () => {
  test("in Berlin the night is an hour shorter in March and an hour longer in October", () => {
    const night = windowsOf("Europe/Berlin", ["22:00-06:00"]);
    expect(night.nextClose(utc("2026-03-28T21:00"))).toEqual(utc("2026-03-29T04:00"));
    expect(night.nextClose(utc("2026-10-24T20:00"))).toEqual(utc("2026-10-25T05:00"));
  });

  test("a window in the skipped hour stays closed that day, one around it opens late", () => {
    const inside = windowsOf("Europe/Berlin", ["02:15-02:45"]);
    expect(inside.nextOpen(utc("2026-03-29T00:00"))).toEqual(utc("2026-03-30T00:15"));
    const around = windowsOf("Europe/Berlin", ["02:30-03:30"]);
    expect(around.nextOpen(utc("2026-03-29T00:00"))).toEqual(utc("2026-03-29T01:00"));
    expect(around.nextClose(utc("2026-03-29T01:00"))).toEqual(utc("2026-03-29T01:30"));
  });

  test("a window in the hour that repeats opens twice", () => {
    const windows = windowsOf("America/New_York", ["01:15-01:45"]);
    const changes = [utc("2026-11-01T00:00")];
    for (let count = 0; count < 4; count += 1) {
      const next = windows.nextChange(changes.at(-1) ?? utc("2026-11-01T00:00"));
      if (next !== undefined) changes.push(next);
    }
    expect(changes.slice(1)).toEqual([
      utc("2026-11-01T05:15"),
      utc("2026-11-01T05:45"),
      utc("2026-11-01T06:15"),
      utc("2026-11-01T06:45"),
    ]);
  });

  test("New York loses an hour on its own day", () => {
    const windows = windowsOf("America/New_York", ["00:00-06:00"]);
    expect(windows.nextOpen(utc("2026-03-08T00:00"))).toEqual(utc("2026-03-08T05:00"));
    expect(windows.nextClose(utc("2026-03-08T05:00"))).toEqual(utc("2026-03-08T10:00"));
  });

  test("Lord Howe changes by half an hour", () => {
    const windows = windowsOf("Australia/Lord_Howe", ["01:40-02:10"]);
    // The clocks go from 02:00 back to 01:30 on the 5th of April 2026: 01:40 comes twice.
    expect(windows.nextOpen(utc("2026-04-04T14:00"))).toEqual(utc("2026-04-04T14:40"));
    expect(windows.nextClose(utc("2026-04-04T14:40"))).toEqual(utc("2026-04-04T15:00"));
    expect(windows.nextOpen(utc("2026-04-04T15:00"))).toEqual(utc("2026-04-04T15:10"));
    expect(windows.nextClose(utc("2026-04-04T15:10"))).toEqual(utc("2026-04-04T15:40"));
    // They go from 02:00 to 02:30 on the 4th of October 2026.
    expect(windows.nextClose(utc("2026-10-03T15:10"))).toEqual(utc("2026-10-03T15:30"));
  });

  test("a zone without changes keeps its hours all year", () => {
    const windows = windowsOf("Asia/Kolkata", ["22:00-06:00"]);
    for (const day of ["2026-03-29", "2026-07-01", "2026-10-25"]) {
      expect(windows.nextOpen(utc(`${day}T12:00`))).toEqual(utc(`${day}T16:30`));
    }
  });
});

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local day and minute as the platform formats them: another way than the one under test. */
function shown(at: number, zone: string): { weekday: string; minute: number } {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  formats.set(zone, format);
  const parts = format.formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return { weekday: part("weekday"), minute: Number(part("hour")) * 60 + Number(part("minute")) };
}

const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const two = (value: number): string => String(value).padStart(2, "0");
const clock = (value: number): string => `${two(Math.floor(value / 60))}:${two(value % 60)}`;

test("the next opening and closing are the first such minutes, whatever the clocks do", () => {
  const minute = fc.integer({ min: 0, max: 95 }).map((quarter) => quarter * 15);
  const range = fc
    .record({ day: fc.constantFrom(...weekdays, ""), from: minute, to: minute })
    .filter(({ from, to }) => from !== to);
  const changes = ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-04"];
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom(...changes),
      fc.integer({ min: -1_440, max: 1_440 }),
      fc.array(range, { minLength: 1, maxLength: 3 }),
      fc.array(range, { maxLength: 2 }),
      (zone, day, shift, allow, deny) => {
        const text = ({ day: on, from, to }: (typeof allow)[number]) =>
          `${on} ${clock(from)}-${clock(to)}`.trim();
        const windows = windowsOf(zone, allow.map(text), deny.map(text));
        const open = (at: number): boolean => {
          const local = shown(at, zone);
          const before = weekdays[(weekdays.indexOf(local.weekday) + 6) % 7];
          const within = ({ day: on, from, to }: (typeof allow)[number]) => {
            const isDay = (name: string | undefined) => on === "" || on === name;
            if (from < to) {
              return isDay(local.weekday) && local.minute >= from && local.minute < to;
            }
            return local.minute >= from ? isDay(local.weekday) : local.minute < to && isDay(before);
          };
          return allow.some(within) && !deny.some(within);
        };
        const start = utc(`${day}T00:00`).getTime() + shift * 60_000;
        const wasOpen = open(start);
        expect(windows.isOpen(new Date(start))).toBe(wasOpen);
        let expected = start;
        const last = start + 2 * 1_440 * 60_000;
        while (expected <= last && open(expected) === wasOpen) expected += 60_000;
        const found = windows.nextChange(new Date(start))?.getTime();
        // Beyond the minutes that were counted, only that it is beyond them is known.
        const seen = found === undefined || found > last ? undefined : found;
        expect(seen).toBe(expected <= last ? expected : undefined);
        expect(windows.nextOpen(new Date(start))?.getTime()).toBe(wasOpen ? start : found);
        expect(windows.nextClose(new Date(start))?.getTime()).toBe(wasOpen ? found : start);
      },
    ),
    { numRuns: 60 },
  );
});
