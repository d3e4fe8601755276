import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { configJsonSchema } from "#config/config-json-schema.ts";
import { loadDrivers } from "#registry.ts";

it("keeps the generated schema and reference page up to date", async () => {
  const script = fileURLToPath(new URL("../../scripts/schema.ts", import.meta.url));
  const { stderr } = await promisify(execFile)(process.execPath, [script, "--check"]);
  expect(stderr).toBe("");
});

it("gives editors a schema that accepts each driver's example and refuses unknown keys", async () => {
  const drivers = await loadDrivers();
  expect([...drivers.keys()]).not.toEqual([]);
  const validate = new Ajv({ strict: false, formats: { path: true, uri: true } }).compile(
    configJsonSchema(drivers),
  );
  for (const { name, example } of drivers.values()) {
    const backend = parse(example) as Record<string, unknown>;
    const config = { apiVersion: "thermocline/v1", backends: [backend] };
    expect(validate(config), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
    const options = { ...(backend["options"] as object), "no-such-option": 1 };
    expect(validate({ ...config, backends: [{ ...backend, options }] })).toBe(false);
    expect(validate({ ...config, backends: [{ ...backend, dirver: "x" }] })).toBe(false);
  }
});
