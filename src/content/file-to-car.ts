import { carHeader } from "#content/car-writer.ts";
import { fileBlocks } from "#content/file-blocks.ts";
import { parseCid } from "#content/cid.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * Turns a file into a CARv1 in one pass, and verifies it: the header names the CID the object
 * has, and the stream throws CORRUPT instead of ending when the bytes lead to another. The same
 * file gives the same CAR, byte for byte, and needs no more memory than one chunk.
 */
export async function* fileToCar(
  stream: ByteStream,
  object: ObjectRef,
): AsyncGenerator<Uint8Array> {
  const blocks = fileBlocks(stream, object);
  yield carHeader(parseCid(object.cid));
  yield* blocks;
}
