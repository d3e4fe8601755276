import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { CallOptions, DriverCapabilities, VerifyOptions } from "#model/driver.ts";
import { ipfsPeer } from "#drivers/contract/ipfs-peer.ts";
import { type PinLook, verifyPinned } from "#drivers/contract/verify-pinned.ts";
import type { ClusterClient } from "#drivers/ipfs-cluster/cluster-client.ts";
import { isHeld } from "#drivers/ipfs-cluster/list-pins.ts";
import type { NodeReader } from "#drivers/ipfs-cluster/node-reader.ts";
import { describeStanding, pinStanding } from "#drivers/ipfs-cluster/pin-info.ts";

export interface PinPlace {
  readonly backend: string;
  readonly capabilities: DriverCapabilities;
  readonly client: ClusterClient;
  readonly reader: NodeReader;
}

const hint = "`verified` needs `rpc` or `gateway` in its options; else ask for `listed`";
const notPinned =
  "not pinned at any peer; blocks of an earlier pin may lie there until garbage is collected";

/**
 * `listed`: each peer asked its IPFS node just now whether the content is pinned there.
 * `verified`: read back from one of those nodes and every block hashed again.
 */
export function verifyPin(
  { backend, capabilities, client, reader }: PinPlace,
  object: ObjectRef,
  level: Confidence,
  options: VerifyOptions,
): Promise<Evidence> {
  const look = async (): Promise<PinLook> => {
    const info = await client.standing(object.cid, { signal: options.signal });
    if (!isHeld(info, backend)) return { isPinned: false, said: notPinned };
    const standing = pinStanding(info);
    const holders = standing.pinned.map(({ ipfsPeer }) => ipfsPeer);
    const open = (call: CallOptions) => reader.open(object.cid, holders, call);
    options.onHolders?.(holders.map(ipfsPeer));
    return { isPinned: true, said: describeStanding(standing), open };
  };
  return verifyPinned({ backend, capabilities, hint, look }, object, level, options);
}
