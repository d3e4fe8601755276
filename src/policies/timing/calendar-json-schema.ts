import { z } from "zod";
import { calendarSchema } from "#policies/timing/calendar-schema.ts";

/** The JSON Schema (draft-07) of a calendar document for editors. */
export function calendarJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(calendarSchema, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
  });
  return { $schema, title: "thermocline calendar", ...rest };
}
