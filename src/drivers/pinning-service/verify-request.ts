import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { CallOptions, DriverCapabilities } from "#model/driver.ts";
import type { GatewayReader } from "#drivers/contract/gateway-reader.ts";
import { type PinLook, verifyPinned } from "#drivers/contract/verify-pinned.ts";
import { describeRequest, type PinRequest } from "#drivers/pinning-service/pin-request.ts";

export interface RequestPlace {
  readonly backend: string;
  readonly capabilities: DriverCapabilities;
  readonly gateway: GatewayReader | undefined;
  /** The requests for the object, pinned ones first. */
  readonly requests: () => Promise<readonly PinRequest[]>;
}

const hint = "`verified` needs `gateway` in its options; else ask for `listed`";

/**
 * `listed`: the service says that it is pinned. `verified`: read through the gateway of the
 * service and every block hashed again.
 */
export function verifyRequest(
  { backend, capabilities, gateway, requests }: RequestPlace,
  object: ObjectRef,
  level: Confidence,
  options: CallOptions,
): Promise<Evidence> {
  const look = async (): Promise<PinLook> => {
    const [request] = await requests();
    if (request === undefined) {
      return { isPinned: false, said: "the service has no request for it" };
    }
    const said = `the service says: ${describeRequest(request)}`;
    const isPinned = request.status === "pinned";
    if (gateway === undefined) return { isPinned, said };
    const open = async (call: CallOptions) => ({
      stream: await gateway.open(object.cid, call),
      from: `through ${gateway.url}`,
    });
    return { isPinned, said, open };
  };
  return verifyPinned({ backend, capabilities, hint, look }, object, level, options);
}
