import type { Evidence, ObjectRef } from "#model/copy.ts";
import type { BucketClient, KeyVersion } from "#drivers/s3/bucket-client.ts";
import type { Signal } from "#drivers/s3/bucket-requests.ts";
import type { CopyKeys } from "#drivers/s3/copy-keys.ts";

/**
 * Adds what a bucket with versions still has of a copy that was deleted there: who deleted it by
 * mistake can have it back. Nothing is added where there is nothing, or we may not look.
 */
export async function withOlderVersions(
  evidence: Evidence,
  client: BucketClient,
  keys: CopyKeys,
  object: ObjectRef,
  signal: Signal,
): Promise<Evidence> {
  try {
    if (!(await client.keepsVersions(signal))) return evidence;
    for (const key of await keys.held(object, signal)) {
      const words = await olderVersionsInWords(client, keys, object, key, signal);
      if (words !== undefined) return { ...evidence, method: `${evidence.method}; ${words}` };
    }
  } catch {
    // The check itself is done: what more could have been said does not undo it.
  }
  return evidence;
}

async function olderVersionsInWords(
  client: BucketClient,
  keys: CopyKeys,
  object: ObjectRef,
  key: string,
  signal: Signal,
): Promise<string | undefined> {
  const versions = await client.versions(key, signal);
  const marker = versions.find(({ isLatest, isMarker }) => isLatest && isMarker);
  if (marker === undefined) return undefined;
  const isOurs = async ({ versionId }: KeyVersion): Promise<boolean> => {
    if (keys.isCopyOf === undefined) return true;
    const found = await client.head(key, signal, versionId);
    return found !== undefined && keys.isCopyOf(object, key, found);
  };
  let kept = 0;
  for (const version of versions) if (!version.isMarker && (await isOurs(version))) kept += 1;
  if (kept === 0) return undefined;
  const older = kept === 1 ? "an older version is" : `${kept} older versions are`;
  return `${older} still in the bucket, behind the delete marker ${marker.versionId} of ${key}`;
}
