import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { BlockFile } from "#content/block-file.ts";
import { parseCid } from "#content/cid.ts";
import { convertForm } from "#content/convert-form.ts";
import { verifyCar } from "#content/verify-car.ts";
import { writeCarFile } from "#content/write-car-file.ts";
import { dropOldDrafts } from "#jobs/acts/drop-old-drafts.ts";
import { throwIfOut } from "#jobs/backend-outage.ts";
import { countedRetries } from "#jobs/measured-action.ts";
import { type Endpoint, sourcesOf } from "#jobs/read-sources.ts";
import { runWithRetries } from "#jobs/run-job.ts";
import type { SegmentAction } from "#jobs/segment.ts";
import type { StepContext } from "#jobs/step-context.ts";
import { sourceFault, transferFault } from "#jobs/transfer.ts";
import type { Evidence, ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import type { ActOutcome } from "#model/run.ts";

/**
 * Writes an object as `CID.car` into a folder of the configuration: read from the planned copy,
 * else from any other that this node reaches. A CAR that is there and holds the object stays.
 * Throws only when stopped, or when the backend that it should read from is out.
 */
export async function exportCar(
  { sequence, object }: SegmentAction,
  context: StepContext,
): Promise<ActOutcome> {
  const { signal } = context;
  const findings: Evidence[] = [];
  const seen = () => (findings.length === 0 ? {} : { findings });
  const { name, output } = placeOf(object, context);
  try {
    await dropOldDrafts(output);
    if (await isThere(output, object, signal)) {
      return { sequence, outcome: "done", message: `is in ${name} already, and intact` };
    }
    // Two attempts at once must not write to one draft.
    const draft = `${output}.${randomUUID()}.part`;
    const gather = async (blocks: BlockFile) => {
      await fetchBlocks(object, blocks, context, findings);
      return [parseCid(object.cid)];
    };
    const { carBytes } = await writeCarFile(output, gather, { draft, signal });
    const message = `written to ${name}, ${formatSize(carBytes)}`;
    return { sequence, outcome: "done", message, ...seen() };
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message, details } = folderError(thrown, name);
    if (details["out"] !== undefined) throw thrown;
    return { sequence, outcome: "failed", code, message, ...seen() };
  }
}

/** What is wrong with the folder is no object's fault: none of these codes leads to quarantine. */
function folderError(thrown: unknown, name: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const { code = "", message } = thrown as NodeJS.ErrnoException;
  const folder = `the folder of the export ${name}`;
  if (code === "ENOENT") return new EngineError("UNAVAILABLE", `${folder} is not there`);
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const why = `${folder} cannot be written to: ${message}`;
  return new EngineError(isFull ? "NO_SPACE" : "UNAVAILABLE", why, { cause: thrown });
}

/** Where it goes; the folder has to be there, so that a disk that is not mounted is not filled. */
function placeOf(
  { cid }: ObjectRef,
  { data, outside }: StepContext,
): { readonly name: string; readonly output: string } {
  if (data.outside?.order.action !== "export-car" || outside === undefined) {
    throw new EngineError("INTERNAL", "a step without its order, or on a worker that has none");
  }
  const name = data.outside.order.folder;
  return { name, output: join(outside.exportFolder(name), `${cid}.car`) };
}

/** Whether the file holds the whole object; what is something else is written again. */
async function isThere(path: string, object: ObjectRef, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of verifyCar(createReadStream(path) as ByteStream, object)) {
      signal.throwIfAborted();
    }
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const isDamaged = thrown instanceof EngineError && thrown.code === "CORRUPT";
    const isMissing = (thrown as NodeJS.ErrnoException).code === "ENOENT";
    if (isDamaged || isMissing) return false;
    throw thrown;
  }
}

/** What one copy gave before it broke off is good; the next one only has to bring the rest. */
async function fetchBlocks(
  object: ObjectRef,
  blocks: BlockFile,
  context: StepContext,
  findings: Evidence[],
): Promise<void> {
  const { data, signal } = context;
  let first: EngineError | undefined;
  for (const source of sourcesOf(context)) {
    const retries = countedRetries(context, source.backend);
    try {
      if (await runWithRetries(() => take(object, source, blocks, signal), retries)) return;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = EngineError.from(thrown);
      const evidence = transferFault(error)?.evidence;
      if (evidence !== undefined) findings.push(evidence);
      first ??= error;
      const { backend, driver } = source;
      if (backend === data.source) await throwIfOut(backend, driver, error, false);
    }
  }
  throw (
    first ??
    new EngineError("NOT_FOUND", `no backend of this node holds ${object.cid}`, {
      hint: "the workers with exports: in their configuration must reach a backend with a copy",
    })
  );
}

/** False when this backend holds no copy. */
async function take(
  object: ObjectRef,
  { backend, driver }: Endpoint,
  blocks: BlockFile,
  signal: AbortSignal,
): Promise<boolean> {
  const copy = await driver.stat(object, { signal });
  if (copy === undefined) return false;
  try {
    const stored = await driver.read(object, copy, { signal });
    await blocks.take(convertForm(stored, copy.form, "car", object));
    return true;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = EngineError.from(thrown);
    throw await sourceFault(object, { backend, driver, copy }, error, { signal });
  }
}
