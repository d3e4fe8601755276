import { ListObjectVersionsCommand, type S3Client } from "@aws-sdk/client-s3";
import type { KeyVersion } from "#drivers/s3/bucket-client.ts";
import { type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";

/** Every version of one key and every marker of its deletion. */
export async function keyVersions(
  client: S3Client,
  bucket: string,
  key: string,
  signal: Signal,
): Promise<readonly KeyVersion[]> {
  const found: KeyVersion[] = [];
  let next: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
  while (next !== undefined) {
    const command: ListObjectVersionsCommand = new ListObjectVersionsCommand({
      Bucket: bucket,
      Prefix: key,
      ...next,
    });
    const answer = await client.send(command, withSignal(signal));
    for (const [isMarker, entries] of [
      [false, answer.Versions ?? []],
      [true, answer.DeleteMarkers ?? []],
    ] as const) {
      for (const { Key, VersionId, IsLatest } of entries) {
        // Keys that begin with this one come after it.
        if (Key !== key || VersionId === undefined) continue;
        found.push({ versionId: VersionId, isMarker, isLatest: IsLatest === true });
      }
    }
    const { IsTruncated, NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = answer;
    const goesOn = IsTruncated === true && KeyMarker === key && VersionIdMarker !== undefined;
    next = goesOn ? { KeyMarker, VersionIdMarker } : undefined;
  }
  return found;
}
