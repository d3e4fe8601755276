import { describe, expect, test } from "vitest";
import { type Bandwidth, formatBandwidth, parseBandwidth, slotAt } from "#model/bandwidth.ts";
import { bandwidthAt } from "#model/bandwidth-clock.ts";
import { formatRequestRate, parseRequestRate } from "#model/request-rate.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const both = (bytes: number | undefined): Bandwidth => ({ upload: bytes, download: bytes });

describe("a bandwidth is read as rclone reads it", () => {
  test.each([
    ["10M", both(10 * MiB)],
    ["512", both(512 * KiB)],
    ["512k", both(512 * KiB)],
    ["1.5M", both(1.5 * MiB)],
    ["20MiB/s", both(20 * MiB)],
    ["100B", both(100)],
    ["off", both(undefined)],
    ["10M:100k", { upload: 10 * MiB, download: 100 * KiB }],
    ["10M:off", { upload: 10 * MiB, download: undefined }],
  ])("%s", (text, expected) => {
    expect(parseBandwidth(text).slots).toEqual([{ minute: 0, text, bandwidth: expected }]);
  });

  test("a timetable of the day holds on every day, and its last slot until the next morning", () => {
    const timetable = parseBandwidth("08:00,512k 12:00,10M 23:00,off");
    const said = ["Mon 07:59", "Mon 08:00", "Thu 11:59", "Thu 12:00", "Sun 23:30"].map((at) =>
      formatBandwidth(slotAt(timetable, minuteOf(at)).bandwidth),
    );
    expect(said).toEqual(["off", "512k", "512k", "10M", "off"]);
  });

  test("a timetable of the week goes on over Sunday", () => {
    const timetable = parseBandwidth("Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M:off");
    const said = ["Mon 00:00", "Fri 23:58", "Fri 23:59", "Sat 10:00", "Sun 12:00"].map((at) =>
      formatBandwidth(slotAt(timetable, minuteOf(at)).bandwidth),
    );
    expect(said).toEqual(["512k", "512k", "10M", "1M:off", "1M:off"]);
  });

  test.each([
    ["10MB", "decimal unit"],
    ["fast", "no bandwidth"],
    ["0", "pause the backend"],
    ["25:00,1M", "no time of day"],
    ["Foo-08:00,1M", "no day"],
    ["08:00,1M 08:00,2M", "two slots begin at mon-08:00"],
    ["08:00,1M 2M", "not a time and a bandwidth"],
    ["1M:2M:3M", "more than upload:download"],
  ])("%s is refused with what is wrong", (text, why) => {
    expect(() => parseBandwidth(text)).toThrow(why);
  });
});

describe("the clock on the wall decides which slot is in force", () => {
  const timetable = parseBandwidth("08:00,512k 19:00,off");

  test("in the zone that was asked for, with the time of the next change", () => {
    // A Saturday; Berlin is one hour ahead.
    const now = new Date("2026-11-21T12:30:20Z");
    const { slot, next } = bandwidthAt(timetable, now, "Europe/Berlin");
    expect(slot.text).toBe("08:00,512k");
    expect(next).toMatchObject({ slot: { text: "19:00,off" }, at: new Date("2026-11-21T18:00Z") });
    expect(bandwidthAt(timetable, now, "Asia/Tokyo").slot.text).toBe("19:00,off");
  });

  test("over the night in which clocks are moved, the next change keeps its wall time", () => {
    const evening = new Date("2026-03-28T20:00:00Z");
    const { next } = bandwidthAt(timetable, evening, "Europe/Berlin");
    expect(next?.at.toISOString()).toBe("2026-03-29T06:00:00.000Z");
    const autumn = new Date("2026-10-24T20:00:00Z");
    expect(bandwidthAt(timetable, autumn, "Europe/Berlin").next?.at.toISOString()).toBe(
      "2026-10-25T07:00:00.000Z",
    );
  });

  test("slots that say the same are one, and one bandwidth never changes", () => {
    const same = parseBandwidth("08:00,1M 12:00,1024k 18:00,2M");
    const { next } = bandwidthAt(same, new Date("2026-11-21T09:00:00Z"), "UTC");
    expect(next?.at.toISOString()).toBe("2026-11-21T18:00:00.000Z");
    expect(bandwidthAt(parseBandwidth("1M"), new Date(), "UTC").next).toBeUndefined();
  });
});

test("rates of requests are read and written per second, minute or hour", () => {
  expect(parseRequestRate("50/s")).toBe(50);
  expect(parseRequestRate("1000/min")).toBeCloseTo(16.667, 3);
  expect(parseRequestRate("off")).toBeUndefined();
  expect(() => parseRequestRate("50")).toThrow("not a rate");
  expect(() => parseRequestRate("0/s")).toThrow("not a rate");
  expect(
    ["50/s", "6/min", "30/h"].map((text) => formatRequestRate(parseRequestRate(text))),
  ).toEqual(["50/s", "6/min", "30/h"]);
});

function minuteOf(at: string): number {
  const [day = "", time = ""] = at.split(" ");
  const [hours, minutes] = time.split(":").map(Number);
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  return (days.indexOf(day) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0);
}
