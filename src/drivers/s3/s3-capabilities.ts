import type { DriverCapabilities } from "#model/driver.ts";

/** What every S3 service can do that this driver works with. */
export const s3Capabilities: DriverCapabilities = {
  forms: ["file", "car"],
  operations: ["read", "write", "remove", "list", "verify"],
  confidence: ["listed", "verified"],
  ranges: "bytes",
  create: "atomic",
  bytesMax: 5 * 1024 ** 4,
  inventoryFiles: "s3",
  unfinishedWrites: true,
  thaw: true,
};
