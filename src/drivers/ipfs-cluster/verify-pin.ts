import { convertForm } from "#content/convert-form.ts";
import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { CallOptions, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
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

/**
 * `listed`: each peer asked its IPFS node just now whether the content is pinned there.
 * `verified`: read back from one of those nodes and every block hashed again.
 */
export async function verifyPin(
  { backend, capabilities, client, reader }: PinPlace,
  object: ObjectRef,
  level: Confidence,
  { signal }: CallOptions,
): Promise<Evidence> {
  if (!capabilities.confidence.includes(level)) {
    throw new EngineError("NOT_SUPPORTED", `${backend} has no check "${level}"`, {
      hint: "`verified` needs `rpc` or `gateway` in its options; else ask for `listed`",
    });
  }
  let bytesRead = 0;
  const found = (finding: Evidence["finding"], method: string): Evidence => ({
    backend,
    cid: object.cid,
    finding,
    confidence: level,
    method,
    checkedAt: new Date().toISOString(),
    bytesRead,
  });
  const info = await client.standing(object.cid, { signal });
  const standing = pinStanding(info);
  if (!isHeld(info, backend)) {
    const blocks = "blocks of an earlier pin may lie there until garbage is collected";
    return found("absent", `not pinned at any peer; ${blocks}`);
  }
  if (level === "listed") return found("present", describeStanding(standing));
  const holders = standing.pinned.map(({ ipfsPeer }) => ipfsPeer);
  const doing = `reading ${object.cid} from ${backend}`;
  try {
    const call = signal === undefined ? {} : { signal };
    const { stream, from } = await reader.open(object.cid, holders, call);
    const whole = convertForm(stopOnAbort(stream, signal, doing), "dag", "dag", object);
    for await (const piece of whole) bytesRead += piece.length;
    const read = `read back and re-hashed ${bytesRead} bytes ${from}`;
    return found("present", `${read}; ${describeStanding(standing)}`);
  } catch (thrown) {
    const failure = EngineError.from(thrown);
    if (failure.code !== "CORRUPT") throw failure;
    // Unpinned between the look and the reading? Only another look can say so.
    const now = await client.standing(object.cid, { signal });
    return found(isHeld(now, backend) ? "corrupt" : "absent", failure.message);
  }
}
