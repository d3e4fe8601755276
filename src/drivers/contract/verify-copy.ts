import type { Confidence, Evidence, ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, Driver, VerifyOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { checksInPassing, verifyStream } from "#content/verify-stream.ts";
import { evidenceOf } from "#drivers/contract/evidence-of.ts";
import { exactly } from "#drivers/contract/exactly.ts";

/**
 * The check of drivers that hand back what they store: `listed` looks at presence and size,
 * `verified` reads every byte again and recomputes the identity. A driver that can do the latter
 * faster says so by `isIntact`; where it says no, the bytes as a stream tell what is wrong.
 */
export async function verifyCopy(
  driver: Pick<Driver, "stat" | "read" | "kind">,
  backend: string,
  object: ObjectRef,
  level: Confidence,
  { signal, written }: VerifyOptions,
  isIntact?: (copy: StoredCopy) => Promise<boolean>,
): Promise<Evidence> {
  if (level !== "listed" && level !== "verified") {
    throw new EngineError("NOT_SUPPORTED", `driver ${driver.kind} has no check "${level}"`, {
      hint: "ask for `listed` or `verified`",
    });
  }
  const options = signal === undefined ? {} : { signal };
  const found = evidenceOf(backend, object, level);
  const known = level === "verified" ? written : undefined;
  const copy = known ?? (await driver.stat(object, options));
  if (copy === undefined) return found("absent", "looked for it: not there", 0);
  if (copy.form === "file" && copy.bytes !== object.size) {
    return found("corrupt", `has ${copy.bytes} bytes, needs ${object.size}`, 0);
  }
  if (level === "listed") {
    const { form, bytes } = copy;
    return { ...found("present", "looked for it: right size", 0), stored: { form, bytes } };
  }
  const intact = (bytes: number): Evidence =>
    found("present", `read back and re-hashed ${bytes} bytes`, bytes);
  if ((await isIntact?.(copy)) === true) return intact(copy.bytes);
  let bytesRead = 0;
  try {
    const reuse = checksInPassing(copy.form, object);
    const stored = await driver.read(object, copy, { ...options, reuse });
    const counted = exactly(stored, object, undefined, (bytes) => {
      bytesRead = bytes;
    });
    await drain(verifyStream(counted, copy.form, object));
  } catch (error) {
    const failure = EngineError.from(error);
    if (failure.code === "CORRUPT") return found("corrupt", failure.message, bytesRead);
    // Removed between the look and the reading? Only another look can say so.
    if (failure.code === "NOT_FOUND" && (await driver.stat(object, options)) === undefined) {
      return found("absent", failure.message, bytesRead);
    }
    throw failure;
  }
  return intact(bytesRead);
}

/** Has every byte pass its checks, and keeps none. */
async function drain(stream: ByteStream): Promise<void> {
  if (stream instanceof SinglePiece) await stream.take();
  else for await (const _ of stream);
}
