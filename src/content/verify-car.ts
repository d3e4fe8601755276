import { CarChecker } from "#content/car-checker.ts";
import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * Passes the bytes of a CAR on and checks by the way that it holds the whole object. Where the
 * stream would end it throws CORRUPT instead when it does not (see CarChecker for what counts).
 */
export async function* verifyCar(
  stream: ByteStream,
  object: ObjectRef,
): AsyncGenerator<Uint8Array> {
  const checker = new CarChecker(object);
  for await (const bytes of stream) {
    await checker.update(bytes);
    yield bytes;
  }
  await checker.finish();
}
