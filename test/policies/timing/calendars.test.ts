import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { type Calendar, isCalendarDay } from "#policies/timing/calendar.ts";
import { parseCalendars } from "#policies/timing/parse-calendars.ts";

let registry: AttributeRegistry;
beforeAll(async () => {
  registry = await loadAttributes();
});

const head = (name: string): string =>
  `apiVersion: thermocline/v1\nkind: Calendar\nmetadata: {name: ${name}}\n`;

function read(days: string) {
  return parseCalendars([{ file: "c.yaml", text: `${head("days")}days: [${days}]\n` }]);
}

function calendarOf(days: string): Calendar {
  const { calendars, diagnostics } = read(days);
  expect(diagnostics).toEqual([]);
  const calendar = calendars.get("days");
  if (calendar === undefined) throw new Error("no calendar");
  return calendar;
}

/** Whether the calendar has each of these dates. */
function has(calendar: Calendar, ...dates: readonly string[]): readonly boolean[] {
  return dates.map((date) => {
    const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
    return isCalendarDay(calendar, { year, month, day });
  });
}

test("dates and ranges of dates are those days and no others", () => {
  const calendar = calendarOf('2026-12-24, "2027-01-30..2027-02-02"');
  expect(has(calendar, "2026-12-24", "2027-01-30", "2027-02-02")).toEqual([true, true, true]);
  expect(has(calendar, "2026-12-23", "2027-12-24", "2027-02-03")).toEqual([false, false, false]);
});

test("days of each year return, also over New Year, and the 29th of February in leap years", () => {
  const calendar = calendarOf('"12-24..01-02", 02-29');
  expect(has(calendar, "2026-12-24", "2030-01-02", "2028-02-29")).toEqual([true, true, true]);
  expect(has(calendar, "2026-12-23", "2026-01-03", "2026-02-28")).toEqual([false, false, false]);
});

test("days of months count from both ends, in all months or in some", () => {
  const calendar = calendarOf('{monthly: "-3..-1", months: [Mar, Jun, Sep, Dec]}, {monthly: 1}');
  expect(has(calendar, "2026-03-29", "2026-06-28", "2026-06-30", "2026-02-01")).toEqual(
    Array.from({ length: 4 }, () => true),
  );
  expect(has(calendar, "2026-03-28", "2026-06-27", "2026-02-28", "2026-03-02")).toEqual(
    Array.from({ length: 4 }, () => false),
  );
});

test("-1 is the last day of every month of every year", () => {
  const calendar = calendarOf("{monthly: -1}");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40_000 }), (number) => {
      const date = new Date(number * 86_400_000);
      const next = new Date((number + 1) * 86_400_000);
      const parts = {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      };
      expect(isCalendarDay(calendar, parts)).toBe(next.getUTCDate() === 1);
    }),
  );
});

test.each([
  ["2026-02-30", '"2026-02-30" is no day'],
  ['"2026-12-24..01-02"', "names a year at one end only"],
  ['"2026-12-24..2026-12-01"', "ends before it begins"],
  ["{monthly: 32}", '"32" are no days of a month'],
  ['{monthly: "5..1"}', "ends before it begins"],
  ["christmas", '"christmas" is no day'],
])("an entry %s is an error at its place", (entry, message) => {
  const { calendars, diagnostics } = read(`2026-12-24, ${entry}`);
  expect(calendars.size).toBe(0);
  expect(diagnostics).toMatchObject([
    { file: "c.yaml", code: "E0169", range: { start: { line: 4, column: 20 } } },
  ]);
  expect(diagnostics[0]?.message).toContain(message);
});

test("two calendars of one name are an error that names the first place", () => {
  const text = `${head("days")}days: [2026-12-24]\n`;
  const { diagnostics } = parseCalendars([
    { file: "a.yaml", text },
    { file: "b.yaml", text },
  ]);
  expect(diagnostics).toMatchObject([{ file: "b.yaml", code: "E0160" }]);
  expect(diagnostics[0]?.message).toContain("a.yaml:3:18");
});

const policy = (name: string): string => `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
schedule: {cron: "0 2 * * *", timezone: Europe/Berlin}
windows: {deny: [calendar: ${name}]}
rules: [{name: keep, where: held, hold: true}]
`;

describe("policies that use calendars", () => {
  test("are closed on their days, which are days of the time zone of the policy", () => {
    const calendars = read("2026-12-24");
    const { policies, diagnostics } = parsePolicies([{ file: "p.yaml", text: policy("days") }], {
      registry,
      calendars,
    });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const windows = policies[0]?.timing.windows;
    expect(windows?.isOpen(new Date("2026-12-23T22:59Z"))).toBe(true);
    expect(windows?.isOpen(new Date("2026-12-23T23:00Z"))).toBe(false);
    expect(windows?.nextOpen(new Date("2026-12-24T00:00Z"))).toEqual(new Date("2026-12-24T23:00Z"));
  });

  test("are told the nearest name of a calendar that is misspelt", () => {
    const calendars = read("2026-12-24");
    const { diagnostics } = parsePolicies([{ file: "p.yaml", text: policy("dais") }], {
      registry,
      calendars,
    });
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors).toMatchObject([{ code: "E0170", hint: 'did you mean "days"?' }]);
  });

  test("are not blamed for a calendar with mistakes of its own", () => {
    const calendars = read("2026-02-30");
    const { diagnostics } = parsePolicies([{ file: "p.yaml", text: policy("days") }], {
      registry,
      calendars,
    });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  });
});

test("a window that another one holds is pointed out", () => {
  const text = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
windows: {allow: ["Mon-Fri 20:00-06:00", "Tue 22:00-24:00", "Sat 20:00-22:00"]}
rules: [{name: keep, where: held, hold: true}]
`;
  const { diagnostics } = parsePolicies([{ file: "p.yaml", text }], { registry });
  const found = diagnostics.filter(({ code }) => code === "W0413");
  expect(found).toMatchObject([{ range: { start: { line: 4, column: 42 } } }]);
  expect(found[0]?.message).toContain('"Mon-Fri 20:00-06:00" holds it');
});
