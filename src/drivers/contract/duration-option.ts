import { z } from "zod";
import { parseDuration } from "#model/quantity.ts";

/** An option in milliseconds, written as a duration such as `7d`. */
export function durationOption(description: string): z.ZodType<number, string> {
  return z
    .string()
    .transform((value, context) => {
      try {
        return parseDuration(value);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    })
    .describe(description);
}
