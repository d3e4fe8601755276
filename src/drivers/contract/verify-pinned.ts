import { convertForm } from "#content/convert-form.ts";
import { evidenceOf } from "#drivers/contract/evidence-of.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { ByteStream, CallOptions, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** What a service says of the content now, in words for the evidence. */
export interface PinLook {
  readonly isPinned: boolean;
  readonly said: string;
  /** Opens it as a CAR, and says where it is read; missing where nobody hands it out. */
  readonly open?: (
    call: CallOptions,
  ) => Promise<{ readonly stream: ByteStream; readonly from: string }>;
}

export interface PinnedContent {
  readonly backend: string;
  readonly capabilities: DriverCapabilities;
  /** What its options need for more than a look. */
  readonly hint: string;
  readonly look: () => Promise<PinLook>;
}

/**
 * The check of drivers whose service keeps content for a request and has no bytes of its own to
 * hand out: `listed` asks it, `verified` reads the content from where it says, and hashes every
 * block again.
 */
export async function verifyPinned(
  { backend, capabilities, hint, look }: PinnedContent,
  object: ObjectRef,
  level: Confidence,
  { signal }: CallOptions,
): Promise<Evidence> {
  if (!capabilities.confidence.includes(level)) {
    throw new EngineError("NOT_SUPPORTED", `${backend} has no check "${level}"`, { hint });
  }
  let bytesRead = 0;
  const evidence = evidenceOf(backend, object, level);
  const found = (finding: Evidence["finding"], method: string): Evidence =>
    evidence(finding, method, bytesRead);
  const { isPinned, said, open } = await look();
  if (!isPinned) return found("absent", said);
  if (level === "listed" || open === undefined) return found("present", said);
  const doing = `reading ${object.cid} from ${backend}`;
  try {
    const { stream, from } = await open(signal === undefined ? {} : { signal });
    const whole = convertForm(stopOnAbort(stream, signal, doing), "dag", "dag", object);
    for await (const piece of whole) bytesRead += piece.length;
    return found("present", `read back and re-hashed ${bytesRead} bytes ${from}; ${said}`);
  } catch (thrown) {
    const failure = EngineError.from(thrown);
    if (failure.code !== "CORRUPT") throw failure;
    // Unpinned between the look and the reading? Only another look can say so.
    return found((await look()).isPinned ? "corrupt" : "absent", failure.message);
  }
}
