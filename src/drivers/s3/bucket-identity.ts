import type { StorageIdentity } from "#model/driver.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/**
 * The folder of a bucket, whatever credentials, layout or storage class it is used with: copies of
 * one class take the place of those of another. Known from the options alone: two names of one
 * service (`localhost` and `127.0.0.1`) are taken for two.
 */
export function bucketIdentity({ endpoint, bucket, prefix }: S3Options): StorageIdentity {
  const service = endpoint === undefined ? "aws" : new URL(endpoint).host;
  const names = [`${bucket}/${prefix} at ${service}`];
  return { kind: "bucket", names: () => Promise.resolve(names) };
}
