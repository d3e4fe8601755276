import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { wrongBytes } from "#drivers/contract/expect-bytes.ts";

/** Passes a body on, counting; CORRUPT when it is longer or shorter than it has to be. */
export function exactly(
  stream: ByteStream,
  object: ObjectRef,
  bytes: number | undefined,
  onBytes: (total: number) => void,
): ByteStream {
  if (!(stream instanceof SinglePiece)) return countPieces(stream, object, bytes, onBytes);
  return stream.through((whole) => {
    if (bytes !== undefined && whole.length !== bytes) {
      throw wrongBytes(object, bytes, `the body has ${whole.length}`);
    }
    onBytes(whole.length);
    return whole;
  });
}

async function* countPieces(
  stream: ByteStream,
  object: ObjectRef,
  bytes: number | undefined,
  onBytes: (total: number) => void,
): ByteStream {
  let received = 0;
  for await (const chunk of stream) {
    received += chunk.length;
    if (bytes !== undefined && received > bytes) {
      throw wrongBytes(object, bytes, "the body has more");
    }
    onBytes(received);
    yield chunk;
  }
  if (bytes !== undefined && received !== bytes) {
    throw wrongBytes(object, bytes, `the body ended after ${received}`);
  }
}
