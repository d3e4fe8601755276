import { z } from "zod";
import { parsedField } from "#document/fields.ts";
import { parseBandwidth } from "#model/bandwidth.ts";
import { parseRequestRate } from "#model/request-rate.ts";

/** `"10M"` or a timetable → what it says at each time of the week. */
export const bandwidthField = limitField(
  parseBandwidth,
  "bytes per second as rclone writes them: 10M, 10M:100k (upload:download), off, or a timetable " +
    "08:00,512k 19:00,off; units are binary, a bare number counts KiB/s",
);

/** `"50/s"` → requests per second. */
export const requestRateField = limitField(
  (text) => ({ perSecond: parseRequestRate(text) }),
  "calls of the storage: 50/s, 1000/min, 30/h, off",
);

/** An IANA time zone. */
export const timeZoneField = z
  .string()
  .refine(isTimeZone, { error: "a time zone is a name such as Europe/Berlin or UTC" });

function limitField<Value>(parse: (text: string) => Value, description: string) {
  return parsedField(z.number().positive(), parse, description);
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat("en-US", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}
