import { createRequire } from "node:module";
import { getNextMillis } from "bullmq";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueOccurrences } from "#policies/timing/due-occurrences.ts";
import { nextOccurrence, upcoming } from "#policies/timing/occurrences.ts";
import { jitterOf, type Schedule, type ScheduleTiming } from "#policies/timing/schedule.ts";
import { bytesAboveLowMark, isUsageActive } from "#policies/timing/usage-mark.ts";

function schedule(timing: ScheduleTiming, more: Partial<Schedule> = {}): Schedule {
  return { timing, zone: "UTC", jitterMs: 0, catchUpMs: undefined, overlap: "skip", ...more };
}

const cron = (pattern: string, zone = "UTC", more: Partial<Schedule> = {}) =>
  schedule({ kind: "cron", pattern }, { zone, ...more });
const utc = (text: string): Date => new Date(`${text}Z`);
const hourMs = 3_600_000;

/** One field of a pattern: any, one, or every few. */
const field = (low: number, high: number) =>
  fc.oneof(
    fc.constant("*"),
    fc.integer({ min: low, max: high }).map(String),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
  );

describe("what is announced is what fires", () => {
  const zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"];
  const patterns = ["0 2 * * *", "30 2 * * *", "*/45 1-3 * 3,10,11 *", "0 0 1 * *"];

  test.each(zones)("a year of occurrences in %s equals those of the queue library", (tz) => {
    for (const pattern of patterns) {
      const start = utc("2026-01-01T00:00");
      const end = utc("2027-01-01T00:00").getTime();
      let last = start.getTime();
      let count = 0;
      for (const occurrence of upcoming(cron(pattern, tz), start, 2_000)) {
        if (occurrence.getTime() > end) break;
        const fired = getNextMillis(last, { pattern, tz });
        expect({ pattern, at: occurrence.toISOString() }).toEqual({
          pattern,
          at: new Date(fired ?? 0).toISOString(),
        });
        last = occurrence.getTime();
        count += 1;
      }
      expect(count).toBeGreaterThanOrEqual(12);
    }
  });

  test("of any pattern, in any zone, from any moment near a change of the clocks", () => {
    const anyPattern = fc
      .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
      .map((fields) => fields.join(" "));
    const changes = [
      "2026-03-08",
      "2026-03-29",
      "2026-04-05",
      "2026-10-04",
      "2026-10-25",
      "2026-11-01",
    ];
    const anyStart = fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -48 * 60, max: 48 * 60 }))
      .map(([day, minutes]) => new Date(utc(`${day}T00:00`).getTime() + minutes * 60_000));
    fc.assert(
      fc.property(anyPattern, fc.constantFrom(...zones), anyStart, (pattern, tz, start) => {
        const fired: number[] = [];
        let next = getNextMillis(start.getTime(), { pattern, tz });
        // The library finds none after some changes of half an hour: then none is announced.
        while (next !== undefined && fired.length < 5) {
          fired.push(next);
          next = getNextMillis(next, { pattern, tz });
        }
        expect(upcoming(cron(pattern, tz), start, 5).map(Number)).toEqual(fired);
      }),
      { examples: [["0 1 */2 * */7", "Australia/Lord_Howe", utc("2026-03-29T00:00")]] },
    );
  });

  test("previews use the very copy of cron-parser that the queue library uses", () => {
    const ours = createRequire(import.meta.url).resolve("cron-parser");
    const theirs = createRequire(createRequire(import.meta.url).resolve("bullmq"));
    expect(theirs.resolve("cron-parser")).toBe(ours);
  });
});

test("every: occurs at the multiples of the time, once: at its time only", () => {
  const every = schedule({ kind: "every", everyMs: 6 * hourMs });
  expect(upcoming(every, utc("2026-05-04T05:00"), 2)).toEqual([
    utc("2026-05-04T06:00"),
    utc("2026-05-04T12:00"),
  ]);
  expect(nextOccurrence(every, utc("2026-05-04T06:00"))).toEqual(utc("2026-05-04T12:00"));
  const once = schedule({ kind: "once", at: utc("2026-12-01T02:00") });
  expect(upcoming(once, utc("2026-05-04T00:00"), 5)).toEqual([utc("2026-12-01T02:00")]);
  expect(nextOccurrence(once, utc("2026-12-01T02:00"))).toBeUndefined();
});

test("jitter is the same for one policy and occurrence, within its bound, and spread out", () => {
  const nightly = cron("0 2 * * *", "UTC", { jitterMs: 600_000 });
  const delays = upcoming(nightly, utc("2026-01-01T00:00"), 200).map((at) =>
    jitterOf("cool", at, nightly),
  );
  const again = upcoming(nightly, utc("2026-01-01T00:00"), 200).map((at) =>
    jitterOf("cool", at, nightly),
  );
  expect(again).toEqual(delays);
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...delays)).toBeLessThan(600_000);
  expect(new Set(delays.map((delay) => Math.floor(delay / 60_000))).size).toBe(10);
  expect(jitterOf("warm", utc("2026-01-02T02:00"), nightly)).not.toBe(delays[0]);
});

describe("what is due", () => {
  const nightly = cron("0 2 * * *");
  const cursor = utc("2026-05-01T12:00");

  test("nothing before its time, and it once it has come", () => {
    const before = dueOccurrences("p", nightly, cursor, utc("2026-05-02T01:59"));
    expect(before).toMatchObject({ due: undefined, missed: undefined, cursor });
    const at = dueOccurrences("p", nightly, cursor, utc("2026-05-02T02:00"));
    expect(at).toMatchObject({ due: utc("2026-05-02T02:00"), isLate: false, covered: 0 });
    const again = dueOccurrences("p", nightly, at.cursor, utc("2026-05-02T02:00:30"));
    expect(again.due).toBeUndefined();
  });

  test("with jitter it is due later, by the same time for everybody who asks", () => {
    const jittery = cron("0 2 * * *", "UTC", { jitterMs: hourMs });
    const due = utc("2026-05-02T02:00").getTime() + jitterOf("p", utc("2026-05-02T02:00"), jittery);
    expect(dueOccurrences("p", jittery, cursor, new Date(due - 1)).due).toBeUndefined();
    expect(dueOccurrences("p", jittery, cursor, new Date(due)).due).toEqual(
      utc("2026-05-02T02:00"),
    );
  });

  test("after a downtime longer than catchUp it is missed, and counted", () => {
    const found = dueOccurrences("p", nightly, cursor, utc("2026-05-05T12:00"));
    expect(found.due).toBeUndefined();
    expect(found.missed).toEqual({
      count: 4,
      first: utc("2026-05-02T02:00"),
      last: utc("2026-05-05T02:00"),
    });
    expect(dueOccurrences("p", nightly, found.cursor, utc("2026-05-05T12:01")).missed).toBe(
      undefined,
    );
  });

  test("within catchUp the last one runs once and stands for the others that still could", () => {
    const patient = cron("0 2 * * *", "UTC", { catchUpMs: 40 * hourMs });
    const found = dueOccurrences("p", patient, cursor, utc("2026-05-05T12:00"));
    expect(found).toMatchObject({
      due: utc("2026-05-05T02:00"),
      isLate: true,
      covered: 1,
      missed: { count: 2, last: utc("2026-05-03T02:00") },
      cursor: utc("2026-05-05T02:00"),
    });
  });

  test("a very long downtime of a frequent schedule still runs the last one", () => {
    const often = schedule({ kind: "every", everyMs: 1_000 });
    const found = dueOccurrences("p", often, cursor, utc("2026-05-05T12:00"));
    expect(found.due).toEqual(utc("2026-05-05T12:00"));
    expect(found.missed?.count).toBeGreaterThanOrEqual(10_000);
    expect(found.cursor).toEqual(utc("2026-05-05T12:00"));
  });

  test("whatever the steps in which time passes, each occurrence is dealt with exactly once", () => {
    const often = schedule({ kind: "every", everyMs: 600_000 }, { jitterMs: 300_000 });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3_000_000 }), { maxLength: 30 }), (steps) => {
        let now = cursor.getTime();
        let upTo = cursor;
        let dealt = 0;
        for (const step of steps) {
          now += step;
          const found = dueOccurrences("p", often, upTo, new Date(now));
          dealt += found.covered + (found.due ? 1 : 0) + (found.missed?.count ?? 0);
          upTo = found.cursor;
        }
        const occurred = Math.floor(upTo.getTime() / 600_000) - cursor.getTime() / 600_000;
        expect(dealt).toBe(occurred);
      }),
    );
  });
});

describe("usage marks", () => {
  const marks = { above: 0.85, until: 0.75 };

  test("start at the high mark and last until the low one", () => {
    const usages = [0.8, 0.85, 0.8, 0.76, 0.75, 0.8, 0.84];
    let active = false;
    const states = usages.map((usage) => (active = isUsageActive(marks, usage, active)));
    expect(states).toEqual([false, true, true, true, false, false, false]);
  });

  test("what is to be freed brings the usage just down to the low mark", () => {
    expect(bytesAboveLowMark(marks, 900, 1_000)).toBe(150);
    expect(bytesAboveLowMark(marks, 700, 1_000)).toBe(0);
  });
});
