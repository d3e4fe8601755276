import type { S3Client } from "@aws-sdk/client-s3";
import type { PutRequest } from "#drivers/s3/bucket-client.ts";
import type { BucketRequests, Signal } from "#drivers/s3/bucket-requests.ts";
import { keyVersions } from "#drivers/s3/key-versions.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";

/**
 * Sends a request under its condition. A key that was deleted in a bucket with versions can be
 * created (S3 User Guide, "Conditional writes"), but some services (versitygw) take the marker of
 * its deletion for an object: then it is sent once more, without the condition. What somebody stores
 * in between becomes an older version there, and is not lost.
 */
export async function createOverMarker<Answer>(
  client: S3Client,
  requests: BucketRequests,
  request: PutRequest,
  signal: Signal,
  send: (condition: ReturnType<BucketRequests["condition"]>) => Promise<Answer>,
): Promise<Answer> {
  const condition = requests.condition(request);
  try {
    return await send(condition);
  } catch (thrown) {
    if (condition.IfNoneMatch === undefined || httpStatus(thrown) !== 412) throw thrown;
    if (!(await isDeleted(client, requests.bucket, request.key, signal))) throw thrown;
    return await send({});
  }
}

/** Whether the newest version is the marker of a deletion; false where we may not look. */
async function isDeleted(
  client: S3Client,
  bucket: string,
  key: string,
  signal: Signal,
): Promise<boolean> {
  try {
    const versions = await keyVersions(client, bucket, key, signal);
    return versions.some(({ isLatest, isMarker }) => isLatest && isMarker);
  } catch {
    return false;
  }
}
