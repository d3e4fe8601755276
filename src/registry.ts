import type { DriverDefinition } from "#model/driver.ts";
import { loadRegistryFolder } from "#model/registry-folder.ts";

/** Every kind of storage this build knows, by name: the entries of `src/drivers/`. */
export function loadDrivers(): Promise<ReadonlyMap<string, DriverDefinition>> {
  return loadRegistryFolder<DriverDefinition>(new URL("./drivers/", import.meta.url));
}
