import { z } from "zod";
import { definitionsSchema } from "#policies/definitions/definitions-schema.ts";

/** The JSON Schema (draft-07) of a document of definitions for editors. */
export function definitionsJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(definitionsSchema, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
  });
  return { $schema, title: "thermocline definitions", ...rest };
}
