import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { forms } from "#model/copy.ts";
import { configSchema } from "#config/config-schema.ts";
import { loadDrivers } from "../../src/registry.ts";

const drivers = [...(await loadDrivers()).values()];

describe("the registry of drivers", () => {
  it("holds the drivers of this version", () => {
    const names = drivers.map((driver) => driver.name);
    expect(names).toEqual(
      expect.arrayContaining(["ipfs-cluster", "kubo", "local", "pinning-service", "s3"]),
    );
  });

  for (const driver of drivers) {
    describe(`driver ${driver.name}`, () => {
      const example: unknown = parse(driver.example);

      it("has an example that stands in a configuration as it is", () => {
        const config = configSchema.parse({ apiVersion: "thermocline/v1", backends: [example] });
        const [backend] = config.backends;
        expect(backend?.driver).toBe(driver.name);
        expect(driver.options.safeParse(backend?.options)).toMatchObject({ success: true });
      });

      it("refuses a key it does not know", () => {
        const wrong = driver.options.safeParse({ surprise: true });
        expect(wrong.error?.issues.map((issue) => issue.code)).toContain("unrecognized_keys");
      });

      it("declares forms, and verification that matches its operations", () => {
        const { capabilities } = driver;
        expect(forms).toEqual(expect.arrayContaining([...capabilities.forms]));
        expect(capabilities.confidence.length > 0).toBe(capabilities.operations.includes("verify"));
        expect(driver.summary).toMatch(/\.$/);
      });
    });
  }
});
