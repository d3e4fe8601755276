import type { ClearOptions, UnfinishedWrites } from "#model/driver.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import type { CopyKeys } from "#drivers/s3/copy-keys.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/**
 * Gives up uploads of ours that nobody has touched for `abandonAfter`. One that is still being
 * sent, however long ago it was begun, has young parts and stays.
 */
export async function clearUploads(
  client: BucketClient,
  keys: CopyKeys,
  { prefix, bucket, abandonAfter }: S3Options,
  { dryRun, signal }: ClearOptions,
): Promise<UnfinishedWrites> {
  const abandonedBefore = Date.now() - abandonAfter;
  let found = 0;
  let abandoned = 0;
  let abandonedBytes = 0;
  for await (const upload of client.unfinished(prefix, signal)) {
    throwIfCancelled(signal, `clearing unfinished uploads in ${bucket}`);
    // Others may use the bucket too, with keys of their own.
    const isNamed = upload.key.startsWith(`${prefix}named/`);
    const { key, begunAt } = upload;
    if (!isNamed && !(await keys.isUploadOfOurs(key, begunAt, signal))) continue;
    found += 1;
    if (begunAt.getTime() >= abandonedBefore) continue;
    const parts = await upload.parts();
    if (parts.some(({ storedAt }) => storedAt.getTime() >= abandonedBefore)) continue;
    abandoned += 1;
    for (const { bytes } of parts) abandonedBytes += bytes;
    if (dryRun !== true) await upload.abort();
  }
  return { found, abandoned, abandonedBytes };
}
