import { configSchema } from "#config/config-schema.ts";
import type { ZodType } from "zod";
import { definitionsSchema } from "#policies/definitions/definitions-schema.ts";
import { policySchema } from "#policies/policy-schema.ts";
import { policyTestSchema } from "#policies/testing/policy-test-schema.ts";
import { calendarSchema } from "#policies/timing/calendar-schema.ts";

const schemas: ReadonlyMap<unknown, ZodType> = new Map<unknown, ZodType>([
  ["Policy", policySchema],
  ["PolicyTest", policyTestSchema],
  ["Definitions", definitionsSchema],
  ["Calendar", calendarSchema],
  ["Config", configSchema],
  // The configuration is the one document that may leave its kind out.
  [undefined, configSchema],
]);

/** The schema of a document, by what it says of itself; undefined when it is none of ours. */
export function schemaOf(raw: unknown): ZodType | undefined {
  if (typeof raw !== "object" || raw === null || !("apiVersion" in raw)) return undefined;
  return schemas.get("kind" in raw ? raw.kind : undefined);
}
