import { z } from "zod";
import { parseSize } from "#model/quantity.ts";

/** An option in bytes: a number, or text with a unit such as `64MiB`. */
export function sizeOption(description: string): z.ZodType<number, string | number> {
  return z
    .union([z.int().nonnegative(), z.string()])
    .transform((value, context) => {
      try {
        return parseSize(String(value));
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
        return z.NEVER;
      }
    })
    .describe(description);
}
