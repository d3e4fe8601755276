import { closeSync, constants, fstatSync, openSync, read, readSync } from "node:fs";
import { promisify } from "node:util";
import type { ByteStream, ReadOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { singlePieceMax } from "#model/single-piece.ts";
import { fileError, systemCode } from "#drivers/local/file-error.ts";
import { givePiece, pieceBytes, takePiece } from "#drivers/local/piece-memory.ts";

const readAsync = promisify(read);

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
    // Up to here one blocking read is cheaper than the thread pool.
    if (end - start <= singlePieceMax) {
      if (end > start) yield readAtOnce(descriptor, start, end - start);
    } else yield* readAhead(descriptor, start, end, reuse);
  } catch (error) {
    throw readError(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The bytes of a small file; undefined when what is there is larger, or no file. */
export function readSmallFile(path: string): Uint8Array | undefined {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK a pipe in place of a stored file would hold us up for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    descriptor = openSync(path, flags);
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > singlePieceMax) return undefined;
    return readAtOnce(descriptor, 0, stat.size);
  } catch (error) {
    throw readError(error, path);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readError(error: unknown, path: string): EngineError {
  if (systemCode(error) === "ENOENT") {
    return new EngineError("NOT_FOUND", `${path} is gone`, { cause: error });
  }
  const failure = fileError(error, "cannot read", path);
  if (failure.code !== "FORBIDDEN") return failure;
  return new EngineError("UNREADABLE", failure.message, {
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    cause: error,
  });
}

function readAtOnce(descriptor: number, start: number, length: number): Uint8Array {
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
  const readAt = async (position: number): Promise<Piece> => {
    const length = Math.min(pieceBytes, end - position);
    const memory = reuse ? takePiece() : Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await readAsync(descriptor, memory, 0, length, position);
    return { memory, bytes: memory.subarray(0, bytesRead) };
  };
  let position = start;
  let next: Promise<Piece> | undefined = readAt(position);
  try {
    while (next !== undefined) {
      const { memory, bytes }: Piece = await next;
      position += bytes.length;
      next = bytes.length > 0 && position < end ? readAt(position) : undefined;
      // The consumer may take its time: a failure ahead is reported when its turn comes.
      next?.catch(() => undefined);
      if (bytes.length > 0) yield bytes;
      // Asked for the next: nobody reads this one now. Of what ends early, nothing is used again.
      if (reuse) givePiece(memory);
    }
  } finally {
    // The descriptor is closed next, so a read in flight must end before.
    await next?.catch(() => undefined);
  }
}

interface Piece {
  readonly memory: Buffer;
  readonly bytes: Uint8Array;
}
