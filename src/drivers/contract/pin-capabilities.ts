import type { DriverCapabilities } from "#model/driver.ts";

/** What storage can do that pins content at IPFS nodes, where those nodes can be read. */
export const pinCapabilities: DriverCapabilities = {
  forms: ["dag"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "none",
  create: "atomic",
  bytesMax: undefined,
};

/** Where they cannot: it takes content, says that it holds it, and gives none back. */
export const pinCapabilitiesUnread: DriverCapabilities = {
  ...pinCapabilities,
  operations: ["write", "remove", "list", "verify"],
  confidence: ["listed"],
};
