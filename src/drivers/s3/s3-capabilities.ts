import type { DriverCapabilities } from "#model/driver.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

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
  locks: true,
};

/** The same under a layout: lists that the service writes do not tell whose file a name is. */
export function s3CapabilitiesOf({ layout }: Pick<S3Options, "layout">): DriverCapabilities {
  if (layout === "car") return { ...s3Capabilities, forms: ["car"] };
  if (layout === "cid") return s3Capabilities;
  const { inventoryFiles: _, ...others } = s3Capabilities;
  return { ...others, storesByName: true };
}
