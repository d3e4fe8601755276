import type { Evidence } from "#model/copy.ts";
import type { BucketClient, KeyVersion } from "#drivers/s3/bucket-client.ts";

/**
 * Adds what a bucket with versions still has of a copy that was deleted there: who deleted it by
 * mistake can have it back. Nothing is added where there is nothing, or we may not look.
 */
export async function withOlderVersions(
  evidence: Evidence,
  client: BucketClient,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Evidence> {
  try {
    if (!(await client.keepsVersions(signal))) return evidence;
    for (const key of keys) {
      const words = olderVersionsInWords(key, await client.versions(key, signal));
      if (words !== undefined) return { ...evidence, method: `${evidence.method}; ${words}` };
    }
  } catch {
    // The check itself is done: what more could have been said does not undo it.
  }
  return evidence;
}

function olderVersionsInWords(key: string, versions: readonly KeyVersion[]): string | undefined {
  const marker = versions.find(({ isLatest, isMarker }) => isLatest && isMarker);
  const kept = versions.filter(({ isMarker }) => !isMarker).length;
  if (marker === undefined || kept === 0) return undefined;
  const older = kept === 1 ? "an older version is" : `${kept} older versions are`;
  return `${older} still in the bucket, behind the delete marker ${marker.versionId} of ${key}`;
}
