import type { DriverCapabilities } from "#model/driver.ts";

/** What a cluster can do whose nodes may be read: through `rpc` or `gateway`. */
export const clusterCapabilities: DriverCapabilities = {
  forms: ["dag"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "none",
  create: "atomic",
  bytesMax: undefined,
};

/** A cluster of which only the REST API is known takes content, and gives none back. */
const withoutReading: DriverCapabilities = {
  ...clusterCapabilities,
  operations: ["write", "remove", "list", "verify"],
  confidence: ["listed"],
};

/** What the cluster of these options can do. */
export function clusterCapabilitiesOf(options: {
  readonly rpc: readonly string[];
  readonly gateway?: string | undefined;
}): DriverCapabilities {
  const isReadable = options.rpc.length > 0 || options.gateway !== undefined;
  return isReadable ? clusterCapabilities : withoutReading;
}
