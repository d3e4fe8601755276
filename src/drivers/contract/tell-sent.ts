import type { ByteStream, OnPart } from "#model/driver.ts";

/** Passes a body on that is sent whole, and tells of each piece when the next is asked for. */
export async function* tellSent(stream: ByteStream, onPart: OnPart | undefined): ByteStream {
  for await (const piece of stream) {
    yield piece;
    onPart?.("sent", piece.length);
  }
}
