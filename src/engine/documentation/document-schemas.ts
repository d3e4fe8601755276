import { configJsonSchema } from "#config/config-json-schema.ts";
import type { JsonSchema } from "#config/setting-names.ts";
import { definitionsJsonSchema } from "#policies/definitions/definitions-json-schema.ts";
import { policyJsonSchema } from "#policies/policy-json-schema.ts";
import { policyTestJsonSchema } from "#policies/testing/policy-test-json-schema.ts";
import { calendarJsonSchema } from "#policies/timing/calendar-json-schema.ts";
import { loadDrivers } from "#registry.ts";

/** The JSON Schema of every kind of document that people write, by a short name. */
export async function documentSchemas(): Promise<ReadonlyMap<string, JsonSchema>> {
  return new Map([
    ["policy", policyJsonSchema() as JsonSchema],
    ["config", configJsonSchema(await loadDrivers())],
    ["test", policyTestJsonSchema() as JsonSchema],
    ["calendar", calendarJsonSchema() as JsonSchema],
    ["definitions", definitionsJsonSchema() as JsonSchema],
  ]);
}
