import type { ObjectRef } from "#model/copy.ts";
import type { DriverCapabilities, WriteBody } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/**
 * Bytes that a body must have in the end, or undefined when only its end will tell. Refuses a
 * form the driver cannot store, and a file body that announces another size than its object.
 */
export function expectedBytes(
  object: ObjectRef,
  body: WriteBody,
  capabilities: DriverCapabilities,
): number | undefined {
  if (!capabilities.forms.includes(body.form)) {
    const forms = capabilities.forms.join(", ");
    throw new EngineError("NOT_SUPPORTED", `form ${body.form} cannot be stored here`, {
      hint: `this driver stores: ${forms}`,
    });
  }
  const expected = body.form === "file" ? object.size : body.bytes;
  if (body.bytes !== undefined && body.bytes !== expected) {
    throw wrongBytes(object, object.size, `the body announces ${body.bytes}`);
  }
  const bytesMax = capabilities.bytesMax;
  if (expected !== undefined && bytesMax !== undefined && expected > bytesMax) {
    throw new EngineError("NOT_SUPPORTED", `${object.cid} has ${expected} bytes, more than fit`, {
      hint: `the largest object this driver stores has ${bytesMax} bytes`,
    });
  }
  return expected;
}

/** The error for a body of another length than announced. */
export function wrongBytes(object: ObjectRef, expected: number, found: string): EngineError {
  return new EngineError("CORRUPT", `${object.cid} needs ${expected} bytes, ${found}`, {
    hint: "the source is damaged or was cut off: verify it, or use another copy",
    details: { cid: object.cid, expected },
  });
}

/** Whether a stored copy can be taken for the one a body would make. */
export function looksIntact(
  stored: { readonly form: string; readonly bytes: number },
  object: ObjectRef,
  body: WriteBody,
): boolean {
  if (stored.form === "file") return stored.bytes === object.size;
  if (stored.form === body.form && body.bytes !== undefined) return stored.bytes === body.bytes;
  return stored.bytes > 0;
}
