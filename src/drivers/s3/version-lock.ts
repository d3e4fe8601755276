import {
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { ObjectLock } from "#drivers/s3/bucket-client.ts";
import { type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { objectLockOf } from "#drivers/s3/object-lock.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";

/** What locks one version of a key. Services do not show it in the headers of older versions. */
export async function versionLock(
  client: S3Client,
  place: { readonly bucket: string; readonly key: string; readonly versionId: string },
  signal: Signal,
): Promise<ObjectLock | undefined> {
  const version = { Bucket: place.bucket, Key: place.key, VersionId: place.versionId };
  const options = withSignal(signal);
  const [hold, retention] = await Promise.all([
    client.send(new GetObjectLegalHoldCommand(version), options).catch(noLock),
    client.send(new GetObjectRetentionCommand(version), options).catch(noLock),
  ]);
  return objectLockOf({
    ObjectLockLegalHoldStatus: hold?.LegalHold?.Status,
    ObjectLockMode: retention?.Retention?.Mode,
    ObjectLockRetainUntilDate: retention?.Retention?.RetainUntilDate,
  });
}

/** No lock, a bucket or service without locks, or no right to see them: the removal will tell. */
function noLock(error: unknown): undefined {
  const status = httpStatus(error) ?? 0;
  if (status === 501 || (status >= 400 && status < 500 && status !== 429)) return undefined;
  throw error;
}
