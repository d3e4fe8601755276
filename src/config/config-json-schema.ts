import type { DriverDefinition } from "#model/driver.ts";
import { configSchema } from "#config/config-schema.ts";
import { inputJsonSchema } from "#config/setting-names.ts";
import type { JsonSchema } from "#config/setting-names.ts";

/**
 * The JSON Schema (draft-07) of `thermocline.yaml` for editors. What may stand under `options`
 * follows from the `driver` of the same backend.
 */
export function configJsonSchema(drivers: ReadonlyMap<string, DriverDefinition>): JsonSchema {
  const schema = inputJsonSchema(configSchema);
  const { $schema, ...rest } = schema;
  const { backends, ...properties } = schema.properties ?? {};
  const { driver, ...backendProperties } = backends?.items?.properties ?? {};
  const items = {
    ...backends?.items,
    properties: { ...backendProperties, driver: { ...driver, enum: [...drivers.keys()] } },
    allOf: [...drivers.values()].map(driverCase),
  };
  return {
    $schema,
    title: "thermocline configuration",
    ...rest,
    properties: { ...properties, backends: { ...backends, items } },
  };
}

function driverCase(driver: DriverDefinition): JsonSchema {
  const { $schema: _dialect, ...options } = inputJsonSchema(driver.options);
  const needsOptions = Array.isArray(options["required"]) && options["required"].length > 0;
  return {
    if: { properties: { driver: { const: driver.name } }, required: ["driver"] },
    // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema, not a promise
    then: {
      properties: { options: { description: driver.summary, ...options } },
      ...(needsOptions ? { required: ["options"] } : {}),
    },
  };
}
