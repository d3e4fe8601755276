import type { DriverCapabilities } from "#model/driver.ts";
import { pinCapabilities, pinCapabilitiesUnread } from "#drivers/contract/pin-capabilities.ts";

/** What the service of these options can do: it is read through `gateway`. */
export function pinningCapabilitiesOf(options: {
  readonly gateway?: string | undefined;
}): DriverCapabilities {
  return options.gateway === undefined ? pinCapabilitiesUnread : pinCapabilities;
}
