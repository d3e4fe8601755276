import { convertForm } from "#content/convert-form.ts";
import type { EngineContext } from "#engine/context.ts";
import { showObject } from "#engine/objects.ts";
import { sourceFault, transferFault, type TransferSource } from "#jobs/transfer.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ReadObjectRequest } from "#model/object-content.ts";

/**
 * Reads one copy of an object. A copy that turns out to be lost or corrupt is checked by its
 * backend, and what that finds is recorded, so that it counts no longer and is repaired.
 */
export async function* readCopy(
  context: EngineContext,
  { object: reference, backend, form, offset = 0 }: ReadObjectRequest,
): ByteStream {
  if (offset > 0 && form !== "file") {
    throw new EngineError("USAGE", "a CAR is read from its start", {
      hint: "leave out the offset",
    });
  }
  const { cid, size, profile } = await showObject(context, reference);
  const object: ObjectRef = { cid, size, profile };
  const driver = await context.pool.driver(backend);
  const copy = await driver.stat(object);
  if (copy === undefined) throw await absent(context, object, backend);
  const source: TransferSource = { backend, driver, copy };
  try {
    const direct = copy.form === "file" && driver.capabilities.ranges === "bytes";
    if (offset > 0 && direct) {
      yield* await driver.read(object, copy, { range: { start: offset, end: size } });
      return;
    }
    const stored = await driver.read(object, copy);
    yield* behind(convertForm(stored, copy.form, form, object), offset);
  } catch (thrown) {
    const error = await sourceFault(object, source, EngineError.from(thrown), {});
    const evidence = transferFault(error)?.evidence;
    if (evidence !== undefined) await context.index.recordEvidence([evidence], context.now());
    throw error;
  }
}

async function absent(
  { index, now }: EngineContext,
  { cid }: ObjectRef,
  backend: string,
): Promise<EngineError> {
  const checkedAt = now().toISOString();
  const method = "looked for it to read it";
  const found = { finding: "absent", confidence: "listed", bytesRead: 0 } as const;
  await index.recordEvidence([{ backend, cid, ...found, method, checkedAt }], now());
  return new EngineError("NOT_FOUND", `backend ${backend} holds no copy of ${cid}`);
}

async function* behind(stream: ByteStream, offset: number): ByteStream {
  let rest = offset;
  for await (const bytes of stream) {
    const left = bytes.subarray(Math.min(rest, bytes.length));
    rest -= bytes.length - left.length;
    if (left.length > 0) yield left;
  }
}
