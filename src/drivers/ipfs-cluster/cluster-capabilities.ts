import type { DriverCapabilities } from "#model/driver.ts";
import { pinCapabilities, pinCapabilitiesUnread } from "#drivers/contract/pin-capabilities.ts";

/** What the cluster of these options can do: its nodes are read through `rpc` or `gateway`. */
export function clusterCapabilitiesOf(options: {
  readonly rpc: readonly string[];
  readonly gateway?: string | undefined;
}): DriverCapabilities {
  const isReadable = options.rpc.length > 0 || options.gateway !== undefined;
  return { ...(isReadable ? pinCapabilities : pinCapabilitiesUnread), garbage: true };
}
