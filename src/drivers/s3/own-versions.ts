import type { BucketClient, HeadResult, KeyVersion } from "#drivers/s3/bucket-client.ts";

export interface OwnVersionsOptions {
  readonly signal: AbortSignal | undefined;
  /** Where others may store under the same key: what is theirs stays, each version too. */
  readonly isOurs?: ((found: HeadResult) => boolean) | undefined;
}

/** The versions of a key that are ours. */
export interface OwnVersions {
  /** Undefined where the bucket keeps no versions, or ours cannot be told from others'. */
  readonly newest: string | undefined;
  readonly older: readonly KeyVersion[];
}

/** All versions of ours, behind the newest, which was just looked at. */
export async function ownVersions(
  client: BucketClient,
  key: string,
  { versionId }: HeadResult,
  { signal, isOurs }: OwnVersionsOptions,
): Promise<OwnVersions> {
  // Of what was stored before a bucket had versions, or after, services may not tell the version.
  if (versionId === undefined && !(await client.keepsVersions(signal))) return alone;
  const versions = await client.versions(key, signal);
  const newest = versionId ?? versions.find(({ isLatest }) => isLatest)?.versionId;
  // Where others store too, another version may have come since we looked: only the ETag tells.
  if (versionId === undefined && isOurs !== undefined && newest !== "null") return alone;
  const older: KeyVersion[] = [];
  for (const version of versions) {
    if (version.versionId === newest) continue;
    if (isOurs === undefined) older.push(version);
    else if (!version.isMarker) {
      const found = await client.head(key, signal, version.versionId);
      if (found !== undefined && isOurs(found)) older.push(version);
    }
  }
  return { newest, older };
}

/** The older ones that hold something, and so may be locked. */
export async function olderVersions(
  client: BucketClient,
  key: string,
  newest: HeadResult,
  options: OwnVersionsOptions,
): Promise<readonly KeyVersion[]> {
  const { older } = await ownVersions(client, key, newest, options);
  return older.filter(({ isMarker }) => !isMarker);
}

const alone: OwnVersions = { newest: undefined, older: [] };
