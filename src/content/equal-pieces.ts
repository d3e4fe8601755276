import { joinedPieces } from "#content/joined-pieces.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * A stream in pieces of equal size; only the last may be shorter. What comes as such a piece is
 * passed on as it is; what comes in parts, which must stay as they are until their piece is
 * full, is copied into memory of its own, or into what `memory` gives for so many bytes.
 */
export async function* equalPieces(
  stream: ByteStream,
  pieceBytes: number,
  memory = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes),
): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const bytes of stream) {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + pieceBytes - heldBytes);
      at += part.length;
      held.push(part);
      heldBytes += part.length;
      if (heldBytes < pieceBytes) continue;
      yield joinedPieces(held, memory);
      held = [];
      heldBytes = 0;
    }
  }
  if (heldBytes > 0) yield joinedPieces(held, memory);
  return undefined;
}
