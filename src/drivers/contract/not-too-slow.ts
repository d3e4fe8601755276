import { LeastSpeed } from "#drivers/contract/least-speed.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * Passes content on, and ends with TIMEOUT when it comes too slowly for `timeoutMs` (LeastSpeed).
 * Silence is not seen here, but by whoever asked.
 */
export async function* notTooSlow(
  stream: ByteStream,
  timeoutMs: number,
  doing: string,
): ByteStream {
  const speed = new LeastSpeed(timeoutMs, doing);
  for await (const piece of stream) {
    speed.came(piece.length);
    yield piece;
    speed.wait();
  }
}
