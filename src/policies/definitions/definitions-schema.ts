import { z } from "zod";
import { nameField } from "#document/fields.ts";
import { classesField, includeField, variablesField } from "#policies/shared-fields.ts";

/** One document of definitions, in the form that people write. */
export const definitionsSchema = z
  .strictObject({
    apiVersion: z.literal("thermocline/v1"),
    kind: z.literal("Definitions"),
    metadata: z
      .strictObject({
        name: nameField.optional(),
        owner: z.string().optional().describe("Who answers for these definitions."),
        description: z.string().optional(),
      })
      .optional(),
    include: includeField,
    vars: variablesField,
    classes: classesField,
  })
  .describe("Variables and classes for the policies that include them.");

/** Definitions as validated. */
export type DefinitionsDocument = z.output<typeof definitionsSchema>;
