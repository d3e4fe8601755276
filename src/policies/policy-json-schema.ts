import { z } from "zod";
import { policySchema, verbNames } from "#policies/policy-schema.ts";

/** The JSON Schema (draft-07) of a policy document for editors. */
export function policyJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(policySchema, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      const { properties } = jsonSchema;
      const isRule = properties !== undefined && verbNames.every((verb) => verb in properties);
      // zod checks one verb per rule in code; editors learn it here.
      if (isRule) jsonSchema.oneOf = verbNames.map((verb) => ({ required: [verb] }));
    },
  });
  return { $schema, title: "thermocline policy", ...rest };
}
