import { z } from "zod";
import { EngineError } from "#model/engine-error.ts";
import { parseDuration, parseSize } from "#model/quantity.ts";

/** `"30d"` → milliseconds. */
export const durationField = quantityField(
  parseDuration,
  "a number with a unit of time: 30d, 12h, 1h30m, 500ms",
);

/** `"10GiB"` or a number of bytes → bytes. */
export const sizeField = quantityField(parseSize, "a size: 10GiB, 500MB, 64KiB, or bytes");

const namePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Lower-case letters, digits and inner dashes: names of policies, rules, backends, nodes. */
export const nameField = z
  .string()
  .regex(namePattern, {
    error: ({ input }) =>
      `a name has lower-case letters, digits and inner dashes, at most 63${nearName(input)}`,
  })
  .describe("lower-case letters, digits and inner dashes, at most 63 characters");

/** The name that a text would be: `, such as my-policy`; nothing when there is none. */
function nearName(input: unknown): string {
  const near = String(input)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return namePattern.test(near) ? `, such as ${near}` : "";
}

/** A quantity: text, or a bare number. */
export function quantityField(parse: (text: string) => number, description: string) {
  return parsedField(z.number().nonnegative(), parse, description);
}

/** A field that is written as text or a bare number and read by a function that may throw. */
export function parsedField<Value>(
  bare: z.ZodNumber,
  parse: (text: string) => Value,
  description: string,
) {
  return z
    .union([z.string(), bare])
    .transform((input, context): Value => {
      try {
        return parse(String(input));
      } catch (thrown) {
        const error = EngineError.from(thrown);
        context.addIssue({ code: "custom", message: error.message, params: { hint: error.hint } });
        return z.NEVER;
      }
    })
    .describe(description);
}
