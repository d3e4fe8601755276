import { z } from "zod";
import { policyTestSchema } from "#policies/testing/policy-test-schema.ts";

/** The JSON Schema (draft-07) of a document with tests of policies, for editors. */
export function policyTestJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(policyTestSchema, {
    target: "draft-07",
    io: "input",
    unrepresentable: "any",
  });
  return { $schema, title: "thermocline policy test", ...rest };
}
