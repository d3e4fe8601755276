import type { ByteStream } from "#model/driver.ts";
import { SinglePiece } from "#model/single-piece.ts";
import { cancelled } from "#drivers/contract/cancelled.ts";
import { waitUnlessCancelled } from "#drivers/contract/wait-unless-cancelled.ts";

/**
 * Passes a stream on and ends it with an error as soon as the signal fires, even while the
 * source keeps us waiting for its next bytes.
 */
export function stopOnAbort(
  stream: ByteStream,
  signal: AbortSignal | undefined,
  doing: string,
): ByteStream {
  if (signal === undefined) return stream;
  if (!(stream instanceof SinglePiece)) return stopPieces(stream, signal, doing);
  return new SinglePiece(() => waitUnlessCancelled(stream.take(), signal, doing));
}

async function* stopPieces(stream: ByteStream, signal: AbortSignal, doing: string): ByteStream {
  // One listener for the whole stream: a race per chunk would pile up on the signal.
  let rejectWait: ((error: Error) => void) | undefined;
  const stop = (): void => rejectWait?.(cancelled(signal, doing));
  signal.addEventListener("abort", stop, { once: true });
  const iterator = stream[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        rejectWait = reject;
        if (signal.aborted) reject(cancelled(signal, doing));
        else iterator.next().then(resolve, reject);
      });
      ended = step.done === true;
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    const closing = ended ? undefined : iterator.return?.();
    // A source that hangs would hang its own ending too: only an unhurried end waits for it.
    if (signal.aborted) closing?.catch(() => undefined);
    else await closing;
  }
}
