import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { wrongBytes } from "#drivers/contract/expect-bytes.ts";

/** Passes a body on, counting; CORRUPT when it is longer or shorter than it has to be. */
export async function* exactly(
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
