import { z } from "zod";
import { variableTypeNames } from "#policies/variable-types.ts";

/** The text of a condition; `true` is one too. */
export const condition = (about: string) =>
  z
    .union([z.string().min(1), z.boolean()])
    .transform(String)
    .describe(about);

/** One expression, or a list of them. */
export const oneOrMore = (about: string) =>
  z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((given) => (typeof given === "string" ? [given] : given))
    .describe(about);

/** `include`: other files, each by its path from the folder of this one. */
export const includeField = z
  .array(
    z.string().check((context) => {
      const hint = wrongPath(context.value);
      if (hint === undefined) return;
      const message = `"${context.value}" is no relative path of a file`;
      const params = { code: "E0172", hint };
      context.issues.push({ code: "custom", input: context.value, message, params });
    }),
  )
  .optional()
  .describe(
    "Files whose definitions (vars, classes), calendars and policies count here too: " +
      "[shared/classes.thermocline.yaml], from the folder of this file.",
  );

/** `vars`, of a policy or for all that include them. */
export const variablesField = z
  .record(
    z.string(),
    z.strictObject({
      type: z.enum(variableTypeNames),
      default: z.union([z.string(), z.number(), z.boolean()]).optional(),
      description: z.string().optional(),
    }),
  )
  .default({})
  .describe("Values that expressions use as $name and --var name=value replaces.");

/** `classes`, of a policy or for all that include them. */
export const classesField = z
  .record(z.string(), condition("A named condition."))
  .default({})
  .describe("Named conditions that rules use as `class name`; they may use each other.");

/** What to write instead of an entry that can be no relative path; undefined when it can. */
export function wrongPath(entry: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]+:/i.test(entry))
    return "store the file beside the policies: nothing is fetched";
  if (/^[/\\~]/.test(entry) || entry.trim() === "") {
    return "write the path from the folder of this file: shared/classes.thermocline.yaml";
  }
  return /[*?[\]{}]/.test(entry) ? "name each file: patterns are not searched for" : undefined;
}
