import { convertForm } from "#content/convert-form.ts";
import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { CallOptions, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { GatewayReader } from "#drivers/contract/gateway-reader.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { describeRequest, type PinRequest } from "#drivers/pinning-service/pin-request.ts";

export interface RequestPlace {
  readonly backend: string;
  readonly capabilities: DriverCapabilities;
  readonly gateway: GatewayReader | undefined;
  /** The requests for the object, pinned ones first. */
  readonly requests: () => Promise<readonly PinRequest[]>;
}

/**
 * `listed`: the service says that it is pinned. `verified`: read through the gateway of the
 * service and every block hashed again.
 */
export async function verifyRequest(
  { backend, capabilities, gateway, requests }: RequestPlace,
  object: ObjectRef,
  level: Confidence,
  { signal }: CallOptions,
): Promise<Evidence> {
  if (!capabilities.confidence.includes(level)) {
    throw new EngineError("NOT_SUPPORTED", `${backend} has no check "${level}"`, {
      hint: "`verified` needs `gateway` in its options; else ask for `listed`",
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
  const [request] = await requests();
  if (request === undefined) return found("absent", "the service has no request for it");
  const said = `the service says: ${describeRequest(request)}`;
  if (request.status !== "pinned") return found("absent", said);
  if (level === "listed" || gateway === undefined) return found("present", said);
  const doing = `reading ${object.cid} from ${backend}`;
  try {
    const call = signal === undefined ? {} : { signal };
    const stream = stopOnAbort(await gateway.open(object.cid, call), signal, doing);
    for await (const piece of convertForm(stream, "dag", "dag", object)) bytesRead += piece.length;
    const read = `read back and re-hashed ${bytesRead} bytes through ${gateway.url}`;
    return found("present", `${read}; ${said}`);
  } catch (thrown) {
    const failure = EngineError.from(thrown);
    if (failure.code !== "CORRUPT") throw failure;
    const [now] = await requests();
    return found(now?.status === "pinned" ? "corrupt" : "absent", failure.message);
  }
}
