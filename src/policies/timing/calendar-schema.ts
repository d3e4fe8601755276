import { z } from "zod";
import { nameField } from "#document/fields.ts";

const monthNames = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

/** 1 for Jan. */
export function monthNumber(name: (typeof monthNames)[number]): number {
  return monthNames.indexOf(name) + 1;
}

const monthsField = z
  .array(z.enum(monthNames))
  .min(1)
  .optional()
  .describe("Which months; all unless said.");

/** One calendar document, in the form that people write. */
export const calendarSchema = z
  .strictObject({
    apiVersion: z.literal("thermocline/v1"),
    kind: z.literal("Calendar"),
    metadata: z.strictObject({
      name: nameField.describe("What policies call it: deny: [calendar: quarter-close]."),
      description: z.string().optional(),
    }),
    days: z
      .array(
        z.union(
          [
            z.string(),
            z.strictObject({
              monthly: z
                .union([z.int(), z.string()])
                .describe('Days of the month: 1, -1 for the last, "-3..-1", "1..5".'),
              months: monthsField,
            }),
          ],
          { error: 'a day is "2026-12-24", "12-24" (each year), or {monthly: -1, months: [Mar]}' },
        ),
      )
      .min(1)
      .describe(
        'Dates ("2026-12-24"), ranges ("2026-12-24..2027-01-02"), days of each year ("12-24", ' +
          '"12-24..01-02"), days of months ({monthly: "-3..-1", months: [Mar, Jun]}).',
      ),
  })
  .describe("A named set of days that windows of policies refer to.");

/** A calendar as validated. */
export type CalendarDocument = z.output<typeof calendarSchema>;
export type CalendarEntry = CalendarDocument["days"][number];
