import { lstatSync, statfsSync } from "node:fs";
import type { ObjectRef, StoredCopy } from "#model/copy.ts";
import type { ByteStream, DriverCapabilities, WriteBody, WriteOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import { SinglePiece } from "#model/single-piece.ts";
import type { Reservation } from "#drivers/contract/capacity.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import { exactly } from "#drivers/contract/exactly.ts";
import { expectedBytes } from "#drivers/contract/expect-bytes.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";
import { fileError } from "#drivers/local/file-error.ts";
import { IncomingFile } from "#drivers/local/incoming-file.ts";
import { removeOldestLeftover, resumedBytesMin } from "#drivers/local/leftovers.ts";
import { readStoredFile } from "#drivers/local/read-file.ts";
import { worthResuming } from "#drivers/contract/worth-resuming.ts";
import { type ObjectFile, objectFile } from "#drivers/local/object-file.ts";
import type { StoreFolder } from "#drivers/local/store-folder.ts";
import type { Usage } from "#drivers/local/usage.ts";

/** From here on it pays to ask the disk for room before the first byte is written. */
const askDiskFromBytes = 16 * 1024 * 1024;

/** A write in progress: everything one needs to know to finish it. */
interface Write {
  readonly folder: StoreFolder;
  readonly usage: Usage;
  readonly object: ObjectRef;
  readonly body: WriteBody;
  readonly bytes: number | undefined;
  readonly reservation: Reservation;
  readonly signal: AbortSignal | undefined;
}

/**
 * Stores a body as a file: whole and durable after return, invisible before. The caller has just
 * seen that the store is there.
 */
export async function storeFile(
  folder: StoreFolder,
  usage: Usage,
  object: ObjectRef,
  body: WriteBody,
  capabilities: DriverCapabilities,
  { signal, resumable }: Pick<WriteOptions, "signal" | "resumable">,
): Promise<StoredCopy> {
  const target = objectFile(object.cid, body.form);
  const bytes = expectedBytes(object, body, capabilities);
  try {
    const goesOn = mayGoOn(body, bytes, resumable);
    const incoming = new IncomingFile(folder.incoming, goesOn ? target.name : "");
    try {
      askDisk(folder, bytes, incoming);
      using reservation = await usage.reserve(bytes ?? 0);
      const write: Write = { folder, usage, object, body, bytes, reservation, signal };
      await receive(write, incoming);
      return await publish(write, incoming, target);
    } catch (error) {
      const isWorth = error instanceof EngineError && worthResuming.has(error.code);
      if (isWorth && resumable?.() === true) incoming.keep();
      throw error;
    } finally {
      incoming.discard();
    }
  } catch (error) {
    throw fileError(error, `cannot store ${object.cid} in`, folder.root);
  }
}

/**
 * Takes the body's bytes. While one chunk is being written the next is asked for, so that the
 * disk and whoever reads and hashes work at the same time.
 */
async function receive(write: Write, incoming: IncomingFile): Promise<void> {
  const { object, bytes, signal } = write;
  const stopping = stopOnAbort(bodyAfter(write, incoming), signal, `writing ${object.cid}`);
  const counted = exactly(stopping, object, bytes, (total) => {
    write.reservation.cover(total);
  });
  if (counted instanceof SinglePiece) await incoming.write(await counted.take());
  else await receivePieces(counted, incoming);
  if (write.folder.syncsFiles) await incoming.sync();
  incoming.close();
}

/** The body; where its beginning is here already, with only the rest from its source. */
function bodyAfter({ body, bytes = 0 }: Write, incoming: IncomingFile): ByteStream {
  if (incoming.left === 0 || body.resume === undefined) return body.stream;
  // Even a source of which everything is here has its last byte asked for: empty ranges are none.
  if (incoming.left >= bytes) incoming.leave(bytes - 1);
  const { left } = incoming;
  const stream = readStoredFile(incoming.leftPath, { range: { start: 0, end: left } });
  return body.resume({ bytes: left, stream });
}

function mayGoOn(
  body: WriteBody,
  bytes: number | undefined,
  resumable: WriteOptions["resumable"],
): boolean {
  if (body.form !== "file" || body.resume === undefined || resumable === undefined) return false;
  return bytes !== undefined && bytes > resumedBytesMin;
}

async function receivePieces(stream: ByteStream, incoming: IncomingFile): Promise<void> {
  for await (const piece of stream) await incoming.write(piece);
}

/** Gives the finished file its name, and counts it. */
async function publish(
  write: Write,
  incoming: IncomingFile,
  target: ObjectFile,
): Promise<StoredCopy> {
  const shard = await write.folder.shard(target.shard);
  const path = `${shard}/${target.name}`;
  throwIfCancelled(write.signal, `writing ${write.object.cid}`);
  const before = lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  incoming.publish(path);
  write.usage.changed(target.shard, incoming.bytes - before);
  await write.folder.syncFolder(shard);
  const locator = `objects/${target.shard}/${target.name}`;
  return { locator, form: target.form, bytes: incoming.bytes };
}

/** What is only kept to spare a later try some bytes gives way, the oldest first. */
function askDisk(folder: StoreFolder, whole: number | undefined, incoming: IncomingFile): void {
  for (;;) {
    const bytes = whole === undefined ? undefined : whole - incoming.here;
    if (bytes === undefined || bytes < askDiskFromBytes) return;
    const disk = statfsSync(folder.root);
    const free = disk.bavail * disk.bsize;
    if (bytes <= free) return;
    if (removeOldestLeftover(folder.incoming) || incoming.dropLeft()) continue;
    throw new EngineError(
      "NO_SPACE",
      `${folder.root}: ${formatSize(bytes)} do not fit on the disk (${formatSize(free)} free)`,
      { hint: "free some space, or add a rule that evicts or demotes from this backend" },
    );
  }
}
