import { closeSync, constants, fstatSync, openSync, read, readSync } from "node:fs";
import { promisify } from "node:util";
import type { ByteStream, ReadOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { fileError, systemCode } from "#drivers/local/file-error.ts";

const readAsync = promisify(read);

/** Up to here one blocking read is cheaper than the thread pool. */
const blockingReadMax = 256 * 1024;
const chunkBytes = 1024 * 1024;

/**
 * Streams a file or a part of it, reading one chunk ahead of the consumer. The file is opened
 * when the consumer begins, so an unused stream holds nothing.
 */
export async function* readStoredFile(
  path: string,
  { range, reuse = false }: Pick<ReadOptions, "range" | "reuse"> = {},
): ByteStream {
  let descriptor: number | undefined;
  try {
    // A link in place of a stored file would lead outside the store.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const size = fstatSync(descriptor).size;
    const start = Math.min(range?.start ?? 0, size);
    const end = Math.min(range?.end ?? size, size);
    if (end - start <= blockingReadMax) {
      if (end > start) yield readSmall(descriptor, start, end - start);
    } else yield* readAhead(descriptor, start, end, reuse);
  } catch (error) {
    if (systemCode(error) === "ENOENT") {
      throw new EngineError("NOT_FOUND", `${path} is gone`, { cause: error });
    }
    const failure = fileError(error, "cannot read", path);
    if (failure.code !== "FORBIDDEN") throw failure;
    throw new EngineError("UNREADABLE", failure.message, {
      ...(failure.hint === undefined ? {} : { hint: failure.hint }),
      cause: error,
    });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readSmall(descriptor: number, start: number, length: number): Uint8Array {
  const chunk = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, chunk, done, length - done, start + done);
    if (count === 0) break;
    done += count;
  }
  return chunk.subarray(0, done);
}

async function* readAhead(
  descriptor: number,
  start: number,
  end: number,
  reuse: boolean,
): ByteStream {
  // One is with the consumer while the other is filled. Fresh memory for every chunk costs as
  // much as reading it: the system clears it, and the garbage collector runs for it.
  const used: Buffer[] = [];
  const readAt = async (position: number): Promise<Uint8Array> => {
    const length = Math.min(chunkBytes, end - position);
    const free = reuse && used.length === 2 ? used.shift() : undefined;
    const buffer = free ?? Buffer.allocUnsafeSlow(length);
    if (reuse) used.push(buffer);
    const { bytesRead } = await readAsync(descriptor, buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  };
  let position = start;
  let next: Promise<Uint8Array> | undefined = readAt(position);
  try {
    while (next !== undefined) {
      const chunk: Uint8Array = await next;
      position += chunk.length;
      next = chunk.length > 0 && position < end ? readAt(position) : undefined;
      // The consumer may take its time: a failure ahead is reported when its turn comes.
      next?.catch(() => undefined);
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    // The descriptor is closed next, so a read in flight must end before.
    await next?.catch(() => undefined);
  }
}
