import type { DriverCapabilities } from "#model/driver.ts";

/** What a pinning service can do that has a gateway to read from. */
export const pinningCapabilities: DriverCapabilities = {
  forms: ["dag"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "none",
  create: "atomic",
  bytesMax: undefined,
};

/** Its own API only tells what it says it holds. */
const withoutReading: DriverCapabilities = {
  ...pinningCapabilities,
  operations: ["write", "remove", "list", "verify"],
  confidence: ["listed"],
};

/** What the service of these options can do. */
export function pinningCapabilitiesOf(options: {
  readonly gateway?: string | undefined;
}): DriverCapabilities {
  return options.gateway === undefined ? withoutReading : pinningCapabilities;
}
