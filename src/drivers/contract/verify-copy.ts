import type { Confidence, Evidence, ObjectRef } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { checksInPassing, verifyStream } from "#content/verify-stream.ts";

/**
 * The check of drivers that hand back what they store: `listed` looks at presence and size,
 * `verified` reads every byte again and recomputes the identity.
 */
export async function verifyCopy(
  driver: Pick<Driver, "stat" | "read" | "kind">,
  backend: string,
  object: ObjectRef,
  level: Confidence,
  signal: AbortSignal | undefined,
): Promise<Evidence> {
  if (level !== "listed" && level !== "verified") {
    throw new EngineError("NOT_SUPPORTED", `driver ${driver.kind} has no check "${level}"`, {
      hint: "ask for `listed` or `verified`",
    });
  }
  const options = signal === undefined ? {} : { signal };
  const found = (finding: Evidence["finding"], method: string, bytesRead: number): Evidence => ({
    backend,
    cid: object.cid,
    finding,
    confidence: level,
    method,
    checkedAt: new Date().toISOString(),
    bytesRead,
  });
  const copy = await driver.stat(object, options);
  if (copy === undefined) return found("absent", "looked for it: not there", 0);
  if (copy.form === "file" && copy.bytes !== object.size) {
    return found("corrupt", `has ${copy.bytes} bytes, needs ${object.size}`, 0);
  }
  if (level === "listed") return found("present", "looked for it: right size", 0);
  let bytesRead = 0;
  try {
    const reuse = checksInPassing(copy.form, object);
    const stored = await driver.read(object, copy, { ...options, reuse });
    for await (const chunk of verifyStream(stored, copy.form, object)) bytesRead += chunk.length;
  } catch (error) {
    const failure = EngineError.from(error);
    if (failure.code === "CORRUPT") return found("corrupt", failure.message, bytesRead);
    // Removed between the look and the reading? Only another look can say so.
    if (failure.code === "NOT_FOUND" && (await driver.stat(object, options)) === undefined) {
      return found("absent", failure.message, bytesRead);
    }
    throw failure;
  }
  return found("present", `read back and re-hashed ${bytesRead} bytes`, bytesRead);
}
