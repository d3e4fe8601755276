import type { BucketClient, CopyRequest } from "#drivers/s3/bucket-client.ts";

/** More than this no service copies in one request. */
const wholeBytesMax = 5 * 1024 ** 3;
const pieceBytes = 1024 ** 3;

/**
 * Has the service copy an object within itself: no byte passes through here. Large ones are
 * copied in pieces, a few at a time; when one fails nothing is visible and no piece stays.
 */
export async function serverSideCopy(
  client: BucketClient,
  request: CopyRequest,
  options: { readonly concurrency: number; readonly signal: AbortSignal | undefined },
  limits = { wholeBytesMax, pieceBytes },
): Promise<void> {
  const { signal, concurrency } = options;
  const { bytes } = request.source;
  if (bytes <= limits.wholeBytesMax) return await client.copy(request, signal);
  const upload = await client.begin(request, "copied", signal);
  try {
    let next = 0;
    const lane = async (): Promise<void> => {
      for (let number = next + 1; next * limits.pieceBytes < bytes; number = next + 1) {
        next = number;
        const start = (number - 1) * limits.pieceBytes;
        const range = { start, end: Math.min(start + limits.pieceBytes, bytes) };
        await upload.copyPart(number, request.source, range, signal);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    await upload.complete(signal);
  } catch (error) {
    await upload.abort().catch(() => undefined);
    throw error;
  }
}
