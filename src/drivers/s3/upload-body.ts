import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream, OnPart } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { worthResuming } from "#drivers/contract/worth-resuming.ts";
import { equalPieces } from "#content/equal-pieces.ts";
import type {
  BucketClient,
  PartUpload,
  PutRequest,
  SentChecksum,
} from "#drivers/s3/bucket-client.ts";

/** More parts than this no service takes. */
const partsMax = 10_000;

/**
 * Parts under way may finish for this long before they are cut off. A part that a service has
 * received whole can still appear after its upload was given up, and would be paid for.
 */
const partGraceMs = 1_000;

export interface UploadOptions {
  readonly partBytes: number;
  readonly concurrency: number;
  /** How large the body will be, as well as one can say before. */
  readonly expectedBytes: number;
  readonly signal: AbortSignal | undefined;
  /** Asked when it fails: whether parts may stay for another try. Without it they never do. */
  readonly resumable?: (() => boolean) | undefined;
  readonly onPart?: OnPart | undefined;
}

/**
 * Stores a body: small ones at once, larger ones in parts of which a few are under way at a
 * time. When anything fails nothing is visible, and no part is left behind unless somebody will go
 * on with them. Every request carries bytes from memory, so that the client can send them again.
 */
export async function uploadBody(
  client: BucketClient,
  request: PutRequest,
  stream: ByteStream,
  options: UploadOptions,
): Promise<SentChecksum> {
  if (stream instanceof SinglePiece) {
    return await putWhole(client, request, await stream.take(), options);
  }
  const partBytes = Math.max(options.partBytes, Math.ceil(options.expectedBytes / partsMax));
  const memory = new PartMemory(partBytes);
  const parts = equalPieces(stream, partBytes, (bytes) => memory.take(bytes));
  try {
    const first = await parts.next();
    const second = first.done === true ? first : await parts.next();
    if (second.done === true) {
      return await putWhole(client, request, first.value ?? new Uint8Array(), options);
    }
    const upload = await client.begin(request, "sent", options.signal);
    try {
      const rest = (async function* (): ByteStream {
        yield first.value ?? new Uint8Array();
        yield second.value;
        yield* parts;
      })();
      await sendParts(upload, rest, memory, options);
      return await upload.complete(options.signal);
    } catch (error) {
      const { code } = EngineError.from(error);
      const isFound = request.shared === undefined || request.shared.since !== undefined;
      if (isFound && worthResuming.has(code) && options.resumable?.() === true) throw error;
      return await giveUp(upload, error);
    }
  } finally {
    await parts.return(undefined);
  }
}

async function putWhole(
  client: BucketClient,
  request: PutRequest,
  bytes: Uint8Array,
  { signal, onPart }: UploadOptions,
): Promise<SentChecksum> {
  const sent = await client.put(request, bytes, signal);
  onPart?.("sent", bytes.length);
  return sent;
}

async function sendParts(
  upload: PartUpload,
  parts: ByteStream,
  memory: PartMemory,
  { concurrency, onPart }: UploadOptions,
): Promise<void> {
  const cut = new AbortController();
  const sending = new Set<Promise<void>>();
  let number = 0;
  try {
    for await (const bytes of parts) {
      number += 1;
      const sent: Promise<void> = upload
        .part(number, bytes, cut.signal)
        // Of a part that failed something may still be on its way: its memory is let go.
        .then((what) => {
          onPart?.(what, bytes.length);
          return memory.give(bytes);
        })
        .finally(() => sending.delete(sent));
      sending.add(sent);
      // Its failure is met at the next wait.
      sent.catch(() => undefined);
      if (sending.size >= concurrency) await Promise.race(sending);
    }
    await Promise.all(sending);
  } catch (error) {
    const settled = Promise.allSettled(sending);
    await Promise.race([settled, sleep(partGraceMs, undefined, { ref: false })]);
    cut.abort();
    await settled;
    throw error;
  }
}

/** Throws the reason for giving up; when even that fails, with a word about the parts. */
async function giveUp(upload: PartUpload, reason: unknown): Promise<never> {
  try {
    await upload.abort();
  } catch (error) {
    if (reason instanceof Error) reason.cause ??= error;
  }
  throw reason;
}

/**
 * Memory for the parts of one upload, used again and again, which threads that hash can see: fresh
 * memory for each part costs the system and the garbage collector a good deal of what sending does.
 */
class PartMemory {
  readonly #partBytes: number;
  readonly #spare: Uint8Array[] = [];

  constructor(partBytes: number) {
    this.#partBytes = partBytes;
  }

  /** Only the last part is shorter than the others. */
  take(bytes: number): Uint8Array {
    if (bytes < this.#partBytes) return Buffer.allocUnsafeSlow(bytes);
    return this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(bytes));
  }

  /** Takes back memory whose bytes have been sent. */
  give(part: Uint8Array): void {
    if (part.buffer instanceof SharedArrayBuffer) this.#spare.push(part);
  }
}
