import type { DriverCapabilities } from "#model/driver.ts";

/** What every node can do that this driver works with. */
export const kuboCapabilities: DriverCapabilities = {
  forms: ["dag"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "sampled", "verified"],
  ranges: "none",
  create: "atomic",
  bytesMax: undefined,
  garbage: true,
};
