import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

/** Who gives less than this, while nothing but it is waited for, would hold a worker for days. */
const slowestBytesPerSecond = 1024;

/**
 * Passes content on, and ends with TIMEOUT when it comes more slowly than 1 KiB a second for
 * `timeoutMs`. Only the time counts in which we wait for the source: a slow target, or a limit of
 * our own, is no fault of it. Silence is not seen here, but by whoever asked.
 */
export async function* notTooSlow(
  stream: ByteStream,
  timeoutMs: number,
  doing: string,
): ByteStream {
  let [waitedMs, bytes] = [0, 0];
  let askedAt = performance.now();
  for await (const piece of stream) {
    waitedMs += performance.now() - askedAt;
    bytes += piece.length;
    if (waitedMs >= timeoutMs) {
      if (bytes * 1_000 < slowestBytesPerSecond * waitedMs) throw tooSlow(doing, bytes, waitedMs);
      [waitedMs, bytes] = [0, 0];
    }
    yield piece;
    askedAt = performance.now();
  }
}

function tooSlow(doing: string, bytes: number, waitedMs: number): EngineError {
  const seconds = Math.round(waitedMs / 1_000);
  const message = `${doing}: only ${bytes} bytes came in ${seconds} seconds`;
  return new EngineError("TIMEOUT", message, {
    hint: "check the service and the network between; what takes longer needs another `timeout`",
  });
}
