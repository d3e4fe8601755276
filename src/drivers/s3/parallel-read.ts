import type { ByteStream } from "#model/driver.ts";
import type { ByteRange, BucketClient } from "#drivers/s3/bucket-client.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

interface ParallelRead {
  readonly key: string;
  readonly range: ByteRange;
  /** Bytes of one request. As many as `concurrency` of these are held in memory. */
  readonly pieceBytes: number;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

/** Parts of an upload may be far larger than what is worth holding in memory to read ahead. */
const readPieceBytesMax = 16 * 1024 * 1024;

/** Reads what lies under a key, or a range of it: large ones by several requests at a time. */
export function readKey(
  client: BucketClient,
  { key, range, bytes, signal }: KeyRead,
  { partSize, concurrency }: Pick<S3Options, "partSize" | "concurrency">,
): ByteStream {
  const pieceBytes = Math.min(partSize, readPieceBytesMax);
  if (bytes <= pieceBytes || concurrency === 1) return client.get(key, range, signal);
  const whole = { start: 0, end: bytes };
  return parallelRead(client, { key, range: range ?? whole, pieceBytes, concurrency, signal });
}

export interface KeyRead {
  readonly key: string;
  /** Undefined for all of it. */
  readonly range: ByteRange | undefined;
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads a large object by several requests at a time and gives its bytes in order. No further
 * piece is asked for while the consumer has not taken the first one.
 */
async function* parallelRead(client: BucketClient, options: ParallelRead): ByteStream {
  const { key, range, pieceBytes, concurrency } = options;
  const stop = new AbortController();
  const signals = options.signal === undefined ? [] : [options.signal];
  const signal = AbortSignal.any([stop.signal, ...signals]);
  const under: Promise<readonly Uint8Array[]>[] = [];
  let next = range.start;
  const fill = (): void => {
    while (under.length < concurrency && next < range.end) {
      const piece = { start: next, end: Math.min(next + pieceBytes, range.end) };
      next = piece.end;
      const reading = Array.fromAsync(client.get(key, piece, signal));
      // Its failure is met when its turn comes.
      reading.catch(() => undefined);
      under.push(reading);
    }
  };
  try {
    for (fill(); under.length > 0; fill()) {
      const chunks = (await under[0]) ?? [];
      for (const chunk of chunks) yield chunk;
      void under.shift();
    }
  } finally {
    stop.abort();
    await Promise.allSettled(under);
  }
}
